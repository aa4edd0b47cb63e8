-- +goose Up

-- Regions to which an instance was extended, and from where its directory may be called: little, and read with it.
ALTER TABLE instance ADD COLUMN regions TEXT NOT NULL DEFAULT '[]';
ALTER TABLE instance ADD COLUMN network TEXT NOT NULL DEFAULT '';
