use super::{Regions, stubs};
use crate::language::rust::read;
use crate::rules::{Comments, Selection, Surroundings};

/// Rule, percent and text of each finding.
fn found(text: &str) -> Vec<(&'static str, u8, &str)> {
    let (lexed, code) = read(text);
    let regions = Regions::of(&code);
    let around = Surroundings { text, tests: &regions.tests, rules: Selection::ALL };
    let report = Comments::new().check(&lexed, &around);
    let found = stubs(&code, &regions, &report.evidence, Selection::ALL);
    found
        .iter()
        .map(|found| (found.rule.rule().name, found.confidence.0, &text[found.start..found.end]))
        .collect()
}

#[test]
fn stubs_fire_with_their_exact_span() {
    let cases: &[(&str, (&str, u8, &str))] = &[
        ("fn f() { todo!() }", ("stub-macro", 95, "todo!()")),
        ("fn f() { std::todo!(\"{}\", x) }", ("stub-macro", 95, "todo!(\"{}\", x)")),
        ("fn f() { todo ! [ ] }", ("stub-macro", 95, "todo ! [ ]")),
        ("fn f() { unimplemented!{} }", ("stub-macro", 90, "unimplemented!{}")),
        (
            "fn f() { unimplemented!(\"on this platform\") }",
            ("stub-macro", 70, "unimplemented!(\"on this platform\")"),
        ),
        ("fn f() { todo!(", ("stub-macro", 95, "todo!(")),
        ("vec![todo!()]", ("stub-macro", 95, "todo!()")),
        ("} ) fn f( { todo!() ]", ("stub-macro", 95, "todo!()")),
        ("panic!(\"not implemented\")", ("stub-panic", 90, "panic!(\"not implemented\")")),
        (
            "panic!(r#\"Not yet implemented: {x}\"#, x)",
            ("stub-panic", 90, "panic!(r#\"Not yet implemented: {x}\"#, x)"),
        ),
        ("unreachable!(\"TODO\")", ("stub-panic", 90, "unreachable!(\"TODO\")")),
        ("bail!(\"not implemented for {x}\")", ("stub-panic", 75, "bail!(\"not implemented for {x}\")")),
        ("fn f() { // TODO: write\n}", ("stub-body", 85, "fn f() { // TODO: write\n}")),
        (
            "fn f(x: u8) -> bool { let _ = x; /* implement me */ true }",
            ("stub-body", 85, "fn f(x: u8) -> bool { let _ = x; /* implement me */ true }"),
        ),
        (
            "fn f() -> R { // in a real implementation we would check\n Ok(()) }",
            ("stub-body", 85, "fn f() -> R { // in a real implementation we would check\n Ok(()) }"),
        ),
        (
            "pub(crate) fn f<F: Fn(u8) -> u8>(f: F) -> bool { true }",
            ("stub-body", 60, "fn f<F: Fn(u8) -> u8>(f: F) -> bool { true }"),
        ),
        (
            "fn f(&self, mut a: M<K, V>) where Self: Sized {}",
            ("stub-body", 60, "fn f(&self, mut a: M<K, V>) where Self: Sized {}"),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(found(text), [*expected], "{text}");
    }
}

#[test]
fn constants_of_each_shape_are_seen_behind_an_unused_parameter() {
    let bodies = [
        "",
        "()",
        "0",
        "-1",
        "1.5",
        "'c'",
        "\"s\"",
        "\"s\".to_string()",
        "None",
        "Ok(())",
        "Ok(None)",
        "Some(0)",
        "return false;",
        "vec![]",
        "Vec::new()",
        "Default::default()",
        "Ok(Default::default())",
        "std::collections::HashMap::new()",
    ];
    for body in bodies {
        let text = format!("fn f(x: u8) {{ {body} }}");
        assert_eq!(found(&text).len(), 1, "{text}");
    }
}

#[test]
fn sound_code_does_not_fire() {
    let cases = [
        "let s = \"todo!()\"; let r = r#\"unimplemented!()\"#; // `todo!()`",
        "/* todo!() */ /// todo!()",
        "let todo_list = todo(); self.todo!; let x = todo != 1;",
        "other::todo!()",
        "macro_rules! stub { () => { todo!() }; }",
        "macro_rules! todo { ($x:expr) => ( unimplemented!() ) }",
        "let tokens = quote! { fn f() { todo!() } };",
        "panic!(\"the TODO list is empty\"); panic!(\"TODO list\"); panic!(message); panic!()",
        "println!(\"not implemented\"); format!(\"todo\")",
        "panic!(\"implementation error\"); panic!(\"unimplementedness\")",
        "#[cfg(test)] mod t { fn f() { todo!() } }",
        "#[test] fn f() { todo!() }",
        "#[cfg(not(miri))]\n#[test]\nfn f() { // TODO: x\n}",
        "#[tokio::test(flavor = \"x\")] async fn f(a: [u8; 2]) { unimplemented!() }",
        "#[test]\n#[should_panic(expected = \"x\")]\nfn f() { panic!(\"not implemented\") }",
        "mod tests { fn f(x: u8) {} }",
        "#![cfg(test)] fn f() { todo!() }",
        "#[cfg(all(test, unix))] impl X { fn f(&self, x: u8) {} }",
        "trait T { fn f(&self, x: u8) -> bool; fn g(&self); }",
        "trait T { fn f(&self, _x: u8) {} }",
        "fn f() {} fn g() -> bool { true } fn new() -> X { Default::default() }",
        "fn f(&self) -> &'static str { \"name\" }",
        "fn f(x: u8) -> u8 { x } fn g(x: u8) -> u8 { 0 + 1 } fn h(x: u8) { log(); }",
        "fn f(x: u8) { let _ = x; }",
        "#[allow(unused_variables)] fn f(x: u8) {}",
        "#![allow(unused)] fn f(x: u8) {}",
        "#[no_mangle] pub extern \"C\" fn f(x: u8) -> u8 { 0 }",
        "#[instrument] fn f(x: u8) {}",
        "fn f(_: &str, _y: u8) -> bool { false }",
        "fn f() { // nothing to do\n}",
        "let f: fn(x: u8) = g; type F = fn(u8) -> fn();",
        "impl Drop for X { fn drop(&mut self) {} }",
        "'a: loop { break 'a } let c = '\"'; // '",
        "fn f(x: u8",
        "",
    ];
    for text in cases {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn code_around_tests_and_definitions_still_fires() {
    let text = "#[cfg(not(test))] fn a() { todo!() }\n\
                #[test] fn b() { todo!() } fn c() { todo!(1) }\n\
                macro_rules! m { () => { todo!() } } fn d() { todo!(2) }\n\
                #[cfg(test)] use x::{y}; fn e() { todo!(3) }\n\
                #[cfg(test)] mod t; fn g() { todo!(4) }";
    let spans: Vec<_> = found(text).into_iter().map(|found| found.2).collect();
    assert_eq!(spans, ["todo!()", "todo!(1)", "todo!(2)", "todo!(3)", "todo!(4)"]);
}
