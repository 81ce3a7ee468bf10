#!/usr/bin/env python3
"""The script of ``example_s3_file_transform``: from the file that the first argument names to the one that the second names."""

import sys

source, destination = sys.argv[1:3]
with open(source, encoding="utf-8") as given, open(destination, "w", encoding="utf-8") as made:
    for line in given:
        made.write(line.upper())
