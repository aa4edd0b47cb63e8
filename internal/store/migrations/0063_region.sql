-- +goose Up

-- Regions to which an instance was extended: few, and read with it.
ALTER TABLE instance ADD COLUMN regions TEXT NOT NULL DEFAULT '[]';
