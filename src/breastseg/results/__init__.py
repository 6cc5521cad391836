"""What a run leaves: findings, the document with its schema, the folder and the report."""
