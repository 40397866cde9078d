//! `trimtab forecast`: where numbers are heading. Of this host, as its engine sees it ([`ask`]), or of a series on
//! standard input ([`stdin`]).

pub mod ask;
pub mod stdin;
pub mod stored;
