// The transformer's kernels over whole arrays.
