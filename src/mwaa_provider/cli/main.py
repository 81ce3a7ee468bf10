"""The command ``mwaa``."""

from __future__ import annotations

import importlib.util
import sys


def main() -> None:
    """Run the command, or say what it needs."""
    # Checked before anything is imported, so that the core of the package does not need it.
    if importlib.util.find_spec("click") is None:
        sys.exit("The command mwaa needs a package that is not installed: pip install 'airflow-provider-mwaa[cli]'")
    try:
        from mwaa_provider.cli.group import mwaa

        mwaa(prog_name="mwaa")
    except KeyboardInterrupt:  # before anything was begun
        sys.exit(130)


if __name__ == "__main__":
    main()
