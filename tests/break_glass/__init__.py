"""Trading ends although database, Redis and panel are gone."""
