-- name: partition_make
-- This and the next two months, so that no fact waits for its table.
SELECT make_partitions((now() AT TIME ZONE 'UTC')::date);
