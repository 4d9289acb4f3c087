"""Where what people do comes in: HTTP, Slack's Socket Mode, the command line; all of it to the causes."""
