//! Classes of a Python text, and which functions are exempt because of what they stand in.
//!
//! Invariant: looking up the parents of a line costs no more than its indentation is long.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::blocks::{Blocks, Opener};
use crate::language::tokens::Tokens;
use crate::rules::names::{is_base, is_double};

/// Classes whose subclasses hold no code of their own, by the last part of a base's name.
const DECLARING: [&str; 5] = ["Protocol", "TypedDict", "NamedTuple", "Interface", "Enum"];

/// A class.
#[derive(Clone, Copy, Default)]
pub(super) struct Class {
    /// It is a protocol or the like: bodies in it mean nothing.
    pub(super) declares: bool,
    /// Others derive from it, by what it says or by what the text shows.
    pub(super) is_base: bool,
    /// It derives from something other than `object`.
    pub(super) derives: bool,
}

/// How a function stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In no block.
    Module,
    /// In a class: its line.
    Method(usize),
    /// In another function, or under a condition.
    Inner,
    /// Where nothing is reported: test doubles, and code for type checkers only.
    Exempt,
}

/// The classes of a text, by their lines.
pub(super) struct Scopes {
    classes: BTreeMap<usize, Class>,
}

impl Scopes {
    /// Looks at all classes of a text.
    pub(super) fn of(code: &Tokens<'_>, blocks: &Blocks) -> Self {
        let mut classes = BTreeMap::new();
        let mut derived = BTreeSet::new();
        let mut named = Vec::new();
        for line in 0..blocks.lines.len() {
            let first = blocks.lines[line].tokens.start;
            if code.is(first, b'@') && is_abstract(code, blocks.lines[line].tokens.clone()) {
                let parent = blocks.lines[line].parent;
                if let Some(class) = parent.and_then(|parent| classes.get_mut(&parent)) {
                    let class: &mut Class = class;
                    class.is_base = true;
                }
            }
            let Opener::Class(keyword) = blocks.opener(code, line) else { continue };
            let bases = bases(code, keyword, blocks.lines[line].tokens.end);
            named.push((line, code.text(keyword + 1)));
            classes.insert(line, class(code, keyword, bases.clone()));
            derived.extend(bases.filter_map(|index| code.name(index)));
        }
        for (line, name) in named {
            if let Some(class) = classes.get_mut(&line).filter(|_| derived.contains(name)) {
                class.is_base = true;
            }
        }
        Self { classes }
    }

    /// The class that starts on a line.
    pub(super) fn class(&self, line: usize) -> Class {
        self.classes.get(&line).copied().unwrap_or_default()
    }

    /// How the function on a line stands.
    pub(super) fn place(&self, code: &Tokens<'_>, blocks: &Blocks, line: usize) -> Place {
        let mut place = Place::Module;
        for (depth, parent) in blocks.parents(line).enumerate() {
            let (around, name) = match blocks.opener(code, parent) {
                Opener::Class(keyword) => (Place::Method(parent), code.text(keyword + 1)),
                Opener::Function(keyword) => (Place::Inner, code.text(keyword + 1)),
                Opener::TypeChecking => return Place::Exempt,
                Opener::Other => (Place::Inner, ""),
            };
            if is_double(name) || self.class(parent).declares {
                return Place::Exempt;
            }
            if depth == 0 {
                place = around;
            }
        }
        place
    }
}

/// Whether a decorator's name says that its function has no body to speak of.
pub(super) fn is_abstract(code: &Tokens<'_>, decorator: Range<usize>) -> bool {
    let name = decorator_name(code, decorator);
    name.starts_with("abstract") || matches!(name, "overload" | "singledispatch" | "singledispatchmethod")
}

/// The last part of a decorator's name: `abstractmethod` of `@abc.abstractmethod`.
pub(super) fn decorator_name<'a>(code: &Tokens<'a>, decorator: Range<usize>) -> &'a str {
    let path = decorator.take_while(|index| !code.is(*index, b'('));
    path.filter_map(|index| code.name(index)).last().unwrap_or_default()
}

/// What stands in the brackets behind a class's name.
fn bases(code: &Tokens<'_>, keyword: usize, end: usize) -> Range<usize> {
    let open = (keyword + 2..end.min(keyword + 64)).find(|index| code.is(*index, b'('));
    let close = open.and_then(|open| Some((open, code.partner(open)?)));
    close.map_or(0..0, |(open, close)| open + 1..close)
}

fn class(code: &Tokens<'_>, keyword: usize, bases: Range<usize>) -> Class {
    let mut class = Class { is_base: is_base(code.text(keyword + 1)), ..Class::default() };
    for name in bases.filter_map(|index| code.name(index)) {
        class.declares |= DECLARING.contains(&name) || is_double(name) || name.ends_with("TestCase");
        class.is_base |= matches!(name, "ABC" | "ABCMeta");
        class.derives |= name != "object";
    }
    class
}
