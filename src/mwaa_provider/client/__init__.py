"""MWAA without Airflow: what a Lambda function or a script needs, on boto3 and requests alone."""
