//! Schema and parser give the same verdict on every document.
