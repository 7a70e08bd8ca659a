//! Programs that an operator lets plugins run: which file, which arguments, which variables.
//!
//! Invariant: a plugin never chooses a program, an argument or a variable; it fills what was left open for it.

mod file;
mod fill;
mod pattern;
mod shape;
mod variable;

pub use file::{Identity, Program};
pub use fill::Template;
pub use pattern::Pattern;
pub use shape::{Part, Shape, Slot};
pub use variable::{Inherited, Variable};
