"""What comes beside the package: the demo, the crontab, the list of system packages."""
