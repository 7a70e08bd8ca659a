//! The rules: what each is called, says of itself, and looks at.
//!
//! Invariant: [`RuleId`] is in the order of the names, so that ordering findings by it orders them by name.

mod bodies;
mod comments;
mod lines;
mod marker;
mod message;
mod names;
mod pattern;
mod phrases;
mod python;
mod quoted;
mod regions;
mod rust;
mod script;
mod words;

pub(crate) use comments::{Comments, Surroundings};
pub(crate) use python::stubs as python_stubs;
pub(crate) use rust::{Regions, stubs as rust_stubs};
pub(crate) use script::{stubs as script_stubs, tests as script_tests};

use crate::finding::Severity;

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RuleId {
    /// A comment in the place of code.
    ElidedCode,
    /// A marker such as TODO.
    MarkerComment,
    /// A comment that says the code is not real.
    PlaceholderComment,
    /// A function without a real body.
    StubBody,
    /// `todo!()` and `unimplemented!()`.
    StubMacro,
    /// A panic that says "not implemented".
    StubPanic,
    /// An exception that says "not implemented".
    StubThrow,
}

/// What is known of a rule.
pub(crate) struct Rule {
    /// Which one.
    pub(crate) id: RuleId,
    /// Its name in results.
    pub(crate) name: &'static str,
    /// One line for people.
    pub(crate) title: &'static str,
    /// What it finds, why that matters, and what does not fire.
    pub(crate) description: &'static str,
    /// What its findings mostly have.
    pub(crate) severity: Severity,
    /// Where it works; `*` is every language.
    pub(crate) languages: &'static [&'static str],
}

/// All rules, in the order of [`RuleId`].
pub(crate) static RULES: [Rule; 7] = [
    Rule {
        id: RuleId::ElidedCode,
        name: "elided-code",
        title: "A comment stands where code was left out",
        description: "Finds comments such as \"... rest of the code unchanged\", \"existing code here\" or \"omitted for \
                      brevity\", a comment that is only `...`, and `...` alone on a line of code where the language has \
                      no use for it. Landing one deletes the code that it stands for. Only comments count in known \
                      languages, never strings. In Markdown and plain text a line of text counts only where it is \
                      nothing but such a phrase with dots or brackets around it; code blocks of Markdown do not count. \
                      Quoted words, and code blocks in documentation comments, do not fire.",
        severity: Severity::Error,
        languages: &["*"],
    },
    Rule {
        id: RuleId::MarkerComment,
        name: "marker-comment",
        title: "A marker comment says that something is open",
        description: "Finds TODO, FIXME, XXX and HACK (a note) where they stand as markers: first in a comment, or in \
                      it with `:` or `(name)` behind them. In lower case only first and with `:`, `(name)` or `@`. \
                      In Markdown, and in lines of plain text that look like no comment, a marker must stand first on \
                      its line with `:` or `(name)`. Quoted mentions, lists of markers, longer names such as \
                      `todo_list`, and code blocks in documentation do not fire.",
        severity: Severity::Warning,
        languages: &["*"],
    },
    Rule {
        id: RuleId::PlaceholderComment,
        name: "placeholder-comment",
        title: "A comment says that the code is not the real one",
        description: "Finds comments such as \"implement me\", \"your code here\", \"in a real implementation\", \"for \
                      now this is a placeholder\", \"simplified for brevity\", \"this would normally\" or \"mock \
                      implementation\". Only comments count in known languages. Words for test doubles do not fire in \
                      tests. Where the same comment already has a marker or an elision, it is not reported again.",
        severity: Severity::Warning,
        languages: &["*"],
    },
    Rule {
        id: RuleId::StubBody,
        name: "stub-body",
        title: "A function has no real body",
        description: "Finds functions whose body is empty, `pass`, `...`, only documentation, or only a constant, where \
                      something says that this is a stub: a comment inside that another rule reports; in Rust a \
                      parameter that is not used although its name does not start with `_`; in Python, JavaScript and \
                      TypeScript a result type that such a body does not meet, or, with less confidence, a name such \
                      as `compute_total` together with parameters. Required and abstract methods, protocols, \
                      overloads, declaration files, classes that others in the file derive from, constructors, \
                      callbacks, hooks, tests and test doubles, macro definitions and functions with an attribute or \
                      decorator that may use the body do not fire.",
        severity: Severity::Error,
        languages: &["javascript", "python", "rust", "typescript"],
    },
    Rule {
        id: RuleId::StubMacro,
        name: "stub-macro",
        title: "A macro stands for code that is not written",
        description: "Finds calls of `todo!` and `unimplemented!`, which panic when they are reached. With a message, \
                      `unimplemented!` is often meant to stay, so its confidence is lower. Strings, comments, macro \
                      definitions, quoted token trees and tests do not fire.",
        severity: Severity::Error,
        languages: &["rust"],
    },
    Rule {
        id: RuleId::StubPanic,
        name: "stub-panic",
        title: "A panic says that something is not implemented",
        description: "Finds `panic!`, `unreachable!`, `bail!` and `anyhow!` whose message starts with words such as \
                      \"not implemented\", \"not yet implemented\" or \"implement me\". Macro definitions, quoted token \
                      trees and tests do not fire.",
        severity: Severity::Error,
        languages: &["rust"],
    },
    Rule {
        id: RuleId::StubThrow,
        name: "stub-throw",
        title: "An exception says that something is not implemented",
        description: "Finds `raise NotImplementedError` in Python, and in JavaScript and TypeScript errors that are \
                      thrown or rejected with and whose name or message says \"not implemented\". Where it is one \
                      branch of many, or refuses something by a message such as \"not supported\", it is often meant, \
                      so its confidence is lower or it does not fire. Abstract methods, protocols, classes that others \
                      in the file derive from, messages for authors of subclasses, strings, tests and test doubles do \
                      not fire.",
        severity: Severity::Error,
        languages: &["javascript", "python", "typescript"],
    },
];

impl RuleId {
    /// What is known of it.
    pub(crate) fn rule(self) -> &'static Rule {
        &RULES[self as usize]
    }

    /// The rule of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        RULES.iter().find(|rule| rule.name == name).map(|rule| rule.id)
    }
}

/// Which rules are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Selection([bool; RULES.len()]);

impl Selection {
    /// Every rule.
    pub(crate) const ALL: Self = Self([true; RULES.len()]);

    /// These rules; all where there are none.
    pub(crate) fn of(rules: &[RuleId]) -> Self {
        if rules.is_empty() {
            return Self::ALL;
        }
        let mut wanted = [false; RULES.len()];
        for rule in rules {
            wanted[*rule as usize] = true;
        }
        Self(wanted)
    }

    /// Whether the rule is wanted.
    pub(crate) fn has(self, rule: RuleId) -> bool {
        self.0[rule as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::{RULES, RuleId, Selection};

    #[test]
    fn rules_are_ordered_by_name_and_found_by_it() {
        assert!(RULES.is_sorted_by_key(|rule| rule.name));
        for rule in &RULES {
            assert_eq!(RuleId::named(rule.name), Some(rule.id));
            assert_eq!(rule.id.rule().name, rule.name);
            assert!(rule.description.len() <= 2048 && rule.name.len() <= 64);
        }
    }

    #[test]
    fn an_empty_selection_means_every_rule() {
        assert_eq!(Selection::of(&[]), Selection::ALL);
        let one = Selection::of(&[RuleId::StubBody]);
        assert!(one.has(RuleId::StubBody) && !one.has(RuleId::StubMacro));
    }
}
