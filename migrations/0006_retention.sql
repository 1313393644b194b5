-- Lists and retention share the index of lists (closed runs of a namespace by their close); the one by close alone is not needed.
drop index runs_closed;
