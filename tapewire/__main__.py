"""``python -m tapewire`` is the command ``tapewire``."""

import sys

from tapewire.cli import main

if __name__ == "__main__":
    sys.exit(main())
