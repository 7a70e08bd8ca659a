//! Which tools may be called: at once, after a person was asked, or not at all.
//!
//! Invariant: only what the operator wrote decides: names of tools, and the operator's own classes of them.
//! What a plugin says of its effects is not looked at.

use crate::config::{Action, Class, Config, Pattern, Rule};

/// The operator's rules and classes.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    /// Plugin, names inside of it, class.
    classes: Vec<(String, Pattern, Class)>,
}

/// What the rules say of one tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// What becomes of a call.
    pub action: Action,
    /// The number of the rule that says so, from 1; none where no rule is about the tool.
    pub rule: Option<usize>,
}

impl Rules {
    /// Those of a configuration.
    pub fn of(config: &Config) -> Self {
        let classes = config.by_plugin.iter().flat_map(|(id, plugin)| {
            plugin.risk.iter().map(|(name, class)| (id.to_string(), name.clone(), class.clone()))
        });
        Self { rules: config.policy.clone(), classes: classes.collect() }
    }

    /// What the first rule that is about a tool says; without one, it is allowed.
    pub fn decide(&self, tool: &str) -> Ruling {
        let found = self.rules.iter().enumerate().find(|(_, rule)| self.is_about(rule, tool));
        match found {
            Some((at, rule)) => Ruling { action: rule.action, rule: Some(at + 1) },
            None => Ruling { action: Action::Allow, rule: None },
        }
    }

    /// Whether calls of a tool are denied.
    pub fn deny(&self, tool: &str) -> bool {
        self.decide(tool).action == Action::Deny
    }

    /// Whether any rule denies.
    pub fn can_deny(&self) -> bool {
        self.rules.iter().any(|rule| rule.action == Action::Deny)
    }

    fn is_about(&self, rule: &Rule, tool: &str) -> bool {
        rule.tools.as_ref().is_none_or(|names| names.iter().any(|name| name.matches(tool)))
            && rule.risk.as_ref().is_none_or(|class| self.has_class(tool, class))
    }

    fn has_class(&self, tool: &str, wanted: &Class) -> bool {
        let Some((plugin, name)) = tool.split_once('_') else { return false };
        let mut classes = self.classes.iter();
        classes.any(|(of, names, class)| of == plugin && class == wanted && names.matches(name))
    }

    /// What the operator wrote that is about none of these tools: a name with a fault in it, perhaps.
    pub fn idle(&self, tools: &[&str]) -> Vec<String> {
        let names = self.rules.iter().enumerate().flat_map(|(at, rule)| {
            rule.tools.iter().flatten().map(move |name| (format!("rule {} of [[policy]]", at + 1), name))
        });
        let names = names.filter(|(_, name)| !tools.iter().any(|tool| name.matches(tool)));
        let names = names.map(|(place, name)| format!("{place}: {:?} is the name of no tool", name.as_str()));
        let is_used = |plugin: &str, name: &Pattern| {
            let mut tools = tools.iter().filter_map(|tool| tool.split_once('_'));
            tools.any(|(of, tool)| of == plugin && name.matches(tool))
        };
        let classes = self.classes.iter().filter(|(plugin, name, _)| !is_used(plugin, name));
        let classes = classes.map(|(plugin, name, _)| {
            format!("[plugins.{plugin}.risk]: {:?} is the name of none of its tools", name.as_str())
        });
        let given = |wanted: &Class| self.classes.iter().any(|(_, _, class)| class == wanted);
        let risks = self.rules.iter().enumerate().filter_map(|(at, rule)| Some((at, rule.risk.as_ref()?)));
        let risks = risks.filter(|(_, class)| !given(class)).map(|(at, class)| {
            format!("rule {} of [[policy]]: no tool has the class {:?}", at + 1, class.as_str())
        });
        names.chain(classes).chain(risks).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Rules, Ruling};
    use crate::config::{Action, Config};

    fn rules(content: &str) -> Rules {
        Rules::of(&Config::parse(Path::new("/etc/hubcap.toml"), content).unwrap())
    }

    #[test]
    fn the_first_rule_that_is_about_a_tool_holds_and_without_one_it_is_allowed() {
        let rules = rules(
            "[[policy]]\ntools = [\"x_read\"]\naction = \"allow\"\n[[policy]]\ntools = [\"x_*\"]\naction = \"deny\"\n\
             [[policy]]\ntools = [\"*\"]\nrisk = \"high\"\naction = \"ask\"\n[plugins.y.risk]\n\"del*\" = \"high\"\n",
        );
        let ruling = |tool: &str| rules.decide(tool);
        assert_eq!(ruling("x_read"), Ruling { action: Action::Allow, rule: Some(1) });
        assert_eq!(ruling("x_del"), Ruling { action: Action::Deny, rule: Some(2) });
        assert_eq!(ruling("y_del_all"), Ruling { action: Action::Ask, rule: Some(3) });
        assert_eq!(ruling("y_read"), Ruling { action: Action::Allow, rule: None });
        assert_eq!(ruling("z_del"), Ruling { action: Action::Allow, rule: None });
        assert!(rules.can_deny() && rules.deny("x_a") && !rules.deny("x_read"));
    }

    #[test]
    fn a_rule_with_names_and_a_class_is_about_tools_that_have_both() {
        let rules = rules(
            "[[policy]]\ntools = [\"y_a*\"]\nrisk = \"high\"\naction = \"ask\"\n[plugins.y.risk]\n\"*b\" = \"high\"\n",
        );
        let asked = |tool: &str| rules.decide(tool).action == Action::Ask;
        assert!(asked("y_ab") && !asked("y_a") && !asked("y_b") && !asked("hubcap"));
    }

    #[test]
    fn what_is_about_no_tool_is_told() {
        let rules = rules(
            "[[policy]]\ntools = [\"y_*\", \"x_raed\"]\naction = \"ask\"\n[[policy]]\nrisk = \"hihg\"\naction = \"ask\"\n\
             [plugins.y.risk]\n\"a\" = \"high\"\n\"b\" = \"high\"\n",
        );
        assert_eq!(
            rules.idle(&["y_a", "x_read"]),
            [
                "rule 1 of [[policy]]: \"x_raed\" is the name of no tool",
                "[plugins.y.risk]: \"b\" is the name of none of its tools",
                "rule 2 of [[policy]]: no tool has the class \"hihg\"",
            ]
        );
    }
}
