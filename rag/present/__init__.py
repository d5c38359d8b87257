"""What an answer looks like: to programs (`json`), in a terminal (`terminal`), on the page (`html`)."""
