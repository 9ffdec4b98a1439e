"""AWS at arm's length: sessions and typed calls, and the only boto3 outside `storage/s3.py`."""
