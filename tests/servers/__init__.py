"""Real servers, started by the tests on 127.0.0.1 with folders and ports of their own."""
