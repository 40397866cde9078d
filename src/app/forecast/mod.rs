//! `trimtab forecast`: where numbers are heading. Of this host, as its engine sees it ([`ask`]).

pub mod ask;
