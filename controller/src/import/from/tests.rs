//! Golden tests of the three forms live with the files that they read.
