"""AWS at arm's length: sessions in somebody's account, typed calls, and what their refusals mean.

Besides `cloudmr.storage.s3` this is the only room that knows boto3.
"""
