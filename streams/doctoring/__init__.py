"""What may be wrong around a worker, looked at before anybody needs it, with the remedy; nobody is paged."""
