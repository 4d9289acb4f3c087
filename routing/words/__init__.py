"""What a page says, before a channel gives it its form."""
