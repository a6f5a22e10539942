"""An HTTP/1.1 client that costs little: it shares the cores with what it measures."""
