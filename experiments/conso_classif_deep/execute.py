"""What `qanat experiment run conso-classif-deep` starts: one scenario under the protocol, as `terrawatt run`."""

import sys

try:
    from terrawatt.cli.qanat import execute
except ModuleNotFoundError as error:
    sys.exit(f"{sys.executable}: {error}; activate the environment in which terrawatt is installed")

if __name__ == "__main__":
    execute(sys.argv[1:])
