"""The isolation boundary, trusted side: fork servers, workers, limits, the channel."""
