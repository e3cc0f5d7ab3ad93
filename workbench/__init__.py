"""The takedown workbench: find, weigh and publish coordinated influence operations."""
