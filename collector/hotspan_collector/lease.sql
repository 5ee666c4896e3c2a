-- name: read
SELECT
    max(epoch) AS last_epoch,
    argMax(owner, epoch) AS last_owner,
    argMax(note, epoch) AS last_note,
    dateDiff('millisecond', argMax(claimed_at, epoch), now64(3, 'UTC')) AS age_ms
FROM leases
WHERE name = {name:String}

-- name: claim
-- One row, as values: what is selected is not always told from what was inserted before.
INSERT INTO leases (name, epoch, owner, note)
SETTINGS insert_deduplication_token = '{token}', async_insert = 0
VALUES ({name:String}, {epoch:UInt64}, {owner:String}, {note:String})
