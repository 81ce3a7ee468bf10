"""The command ``mwaa``."""

from __future__ import annotations

import importlib.util
import sys


def main() -> None:
    """Run the command, or say what it needs."""
    # Checked before anything is imported, so that the core of the package needs neither.
    if importlib.util.find_spec("click") is None:
        sys.exit("The command mwaa needs packages that are not installed: pip install 'airflow-provider-mwaa[local]'")
    from mwaa_provider.cli.group import mwaa

    mwaa()


if __name__ == "__main__":
    main()
