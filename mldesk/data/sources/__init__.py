"""Where tables come from: paths, addresses, archives, folders; bytes and their encodings."""
