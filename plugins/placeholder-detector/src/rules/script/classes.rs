//! The classes of a script, and which of them a token is in.
//!
//! Invariant: linear in the tokens; the classes come in the order of their bodies.

use std::collections::BTreeSet;

use crate::language::tokens::Tokens;
use crate::rules::names::{is_base, is_double};

/// Longest head of a class, in tokens.
const HEAD_MAX: usize = 64;

/// A class, in indices of tokens.
#[derive(Clone, Copy)]
pub(super) struct Class {
    open: usize,
    close: usize,
    /// Others derive from it, by what it says or by what the text shows, or it is a test double: its stubs are meant.
    pub(super) exempt: bool,
    /// It derives from a class or implements an interface.
    pub(super) derives: bool,
}

/// All classes of a text.
pub(super) struct Classes(Vec<Class>);

impl Classes {
    /// Looks at all classes of a text.
    pub(super) fn of(code: &Tokens<'_>) -> Self {
        let mut derived = BTreeSet::new();
        let mut all = Vec::new();
        for index in code.words(&["class"]) {
            if index > 0 && code.is(index - 1, b'.') {
                continue;
            }
            let Some(class) = class(code, index, &mut derived) else { continue };
            all.push((code.name(index + 1).unwrap_or_default(), class));
        }
        let finished = all.into_iter().map(|(name, class)| Class {
            exempt: class.exempt || derived.contains(name) || is_base(name) || is_double(name),
            ..class
        });
        Self(finished.collect())
    }

    /// Looks up tokens that are asked for in order.
    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor { rest: &self.0, around: Vec::new() }
    }
}

/// The class that starts at `index`. The names that it derives from go to `derived`.
fn class<'a>(code: &Tokens<'a>, index: usize, derived: &mut BTreeSet<&'a str>) -> Option<Class> {
    let mut class = Class {
        open: 0,
        close: 0,
        exempt: index > 0 && code.name(index - 1) == Some("abstract"),
        derives: false,
    };
    let mut next = index + 1;
    while next < index + HEAD_MAX && !code.is(next, b'{') {
        match code.name(next) {
            Some("extends" | "implements") => class.derives = true,
            Some(name) if class.derives => {
                derived.insert(name);
            }
            None if [b';', b')', b'}', b':', b'='].into_iter().any(|mark| code.is(next, mark))
                && !class.derives =>
            {
                return None;
            }
            _ => {}
        }
        next += 1;
    }
    (class.open, class.close) = (next, code.partner(next)?);
    Some(class)
}

/// Walks along the classes.
pub(super) struct Cursor<'a> {
    rest: &'a [Class],
    around: Vec<Class>,
}

impl Cursor<'_> {
    /// The innermost class around a token, which must not lie before the one asked for last.
    pub(super) fn at(&mut self, index: usize) -> Option<Class> {
        while let Some((class, rest)) = self.rest.split_first().filter(|(class, _)| class.open < index) {
            self.around.push(*class);
            self.rest = rest;
        }
        while self.around.last().is_some_and(|class| class.close < index) {
            self.around.pop();
        }
        self.around.last().copied()
    }
}
