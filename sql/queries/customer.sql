-- Customers: for whom campaigns call.

-- name: customer_list
-- All, or one.
SELECT id, name, country FROM customer
WHERE :id::bigint IS NULL OR id = :id::bigint
ORDER BY name;

-- name: customer_country
-- Whose rules hold for its calls too; null: only those of the campaign and of the callee.
UPDATE customer SET country = :country::text WHERE id = :id::bigint;
