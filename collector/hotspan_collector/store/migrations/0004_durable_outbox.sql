-- An alert that stands in the outbox is kept through a power cut. There are few of them.
ALTER TABLE alert_outbox MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;
