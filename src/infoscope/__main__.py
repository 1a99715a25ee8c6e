"""``python -m infoscope`` is the command ``infoscope``, where that is not on the path."""

import sys

from infoscope.cli import main

if __name__ == "__main__":
    sys.exit(main())
