"""`python -m terrawatt` is the command `terrawatt`."""

from terrawatt.cli.app import main

if __name__ == "__main__":
    main()
