//! What the operator chose about the table: kept from one console to the next (`app::console::kept`), never in the configuration.

use serde::{Deserialize, Serialize};

/// How rows stand together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// One row per process.
    #[default]
    List,
    /// Slice, unit, container, process.
    Cgroups,
    /// Parents and children.
    Parents,
    /// One row per program, its processes below it.
    Programs,
}

impl Form {
    /// List, control groups, parents, and again.
    pub fn next(self) -> Form {
        match self {
            Form::List | Form::Programs => Form::Cgroups,
            Form::Cgroups => Form::Parents,
            Form::Parents => Form::List,
        }
    }

    /// Rows stand below others and fold.
    pub fn is_tree(self) -> bool {
        self != Form::List
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Form::List => "list",
            Form::Cgroups => "control groups",
            Form::Parents => "parents and children",
            Form::Programs => "by name",
        }
    }
}

/// Which way an order goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// As the column has it: most first, but names from the beginning.
    #[default]
    Usual,
    /// The other way round.
    Inverted,
}

/// Whether kernel threads have rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum KernelThreads {
    /// They have.
    #[default]
    Shown,
    /// They have none.
    Hidden,
}

/// The choices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// How rows stand together.
    pub form: Form,
    /// Name of the column that gives the order.
    pub sort: String,
    /// Which way.
    pub way: Way,
    /// Whether kernel threads have rows.
    pub kernel: KernelThreads,
    /// Columns that are never shown.
    pub hidden: Vec<String>,
    /// Columns that are shown before those that nobody asked for.
    pub wanted: Vec<String>,
}

impl Default for Choices {
    fn default() -> Self {
        Choices {
            form: Form::default(),
            sort: "cpu".into(),
            way: Way::default(),
            kernel: KernelThreads::default(),
            hidden: Vec::new(),
            wanted: Vec::new(),
        }
    }
}
