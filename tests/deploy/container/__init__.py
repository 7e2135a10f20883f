"""The image, built of the real Dockerfile and run: no daemon, no registry, no network."""
