"""The metadata API: rows of the metadata database from Airflow 3's own web server, for administrators, in short requests.

``guard`` says who may ask, ``work`` how many at a time, ``questions`` what may be asked, ``planning`` how a table is cut into ranges,
``ranges`` reads one of them, ``framing`` is the form in which it travels; ``app`` puts these together, ``mounting`` shows it to Airflow.
``client`` is the other side.
"""
