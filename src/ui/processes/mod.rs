//! The table of processes (pane 5): its columns, its forms (list, tree of control groups, tree of parents, one row per program), its
//! order, marks and cursor. Rows are known by identity, never by place. Drawing is [`crate::ui::panels::processes`]'s.

pub mod act;
pub mod choices;
pub mod column;
pub mod columns;
pub mod figures;
pub mod filter;
pub mod fit;
pub mod fold;
pub mod forest;
pub mod gather;
pub mod list;
pub mod order;
pub mod row;
