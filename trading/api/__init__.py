"""The REST API: serializers, views, permissions and errors over the execution stages and queries."""
