//! trimtab
