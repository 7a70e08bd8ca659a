//! Components that are too large or too new for the host, or made to keep its compiler busy.
//!
//! Invariant: each is refused for a reason that names its fault, and nothing of it is ever called.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, Encode, Function, FunctionSection, Instruction, MemorySection,
    MemoryType, Module, TypeSection, ValType,
};

use crate::support::cases::observed;
use crate::support::guests::{self, plugin_with};
use crate::support::home::Home;
use crate::support::message::assert_says;

/// Why it was refused, short enough for a table.
fn told(plugin: &Value) -> String {
    let reason = plugin["reason"].as_str().unwrap_or("ready");
    reason.chars().take(80).collect()
}

/// The plugin in this file is refused, for a reason that names this.
#[track_caller]
fn assert_refused(home: &Home, file: &str, word: &str) {
    let plugin = home.plugin(file);
    assert_eq!(plugin["state"], "refused", "{plugin:#}");
    let reason = plugin["reason"].as_str().unwrap_or_default().to_lowercase();
    assert!(reason.contains(word) && !reason.contains('\n'), "{plugin:#}");
}

#[test]
fn what_starts_too_large_is_refused_at_load() {
    let home = Home::new().wat("many-memories").wat("multi-memory").wat("huge-table").wat("plain");
    assert_refused(&home, "many-memories.wasm", "memory");
    assert_refused(&home, "multi-memory.wasm", "memor");
    assert_refused(&home, "huge-table.wasm", "table");
    assert_eq!(home.plugin("plain.wasm")["state"], "ready");
    let shown = |file: &str| told(&home.plugin(file));
    observed("A09", format_args!("three of 30 MiB each: {}", shown("many-memories.wasm")));
    observed("A10", format_args!("ten million elements at the start: {}", shown("huge-table.wasm")));
}

#[test]
fn core_instances_and_memories_are_counted() {
    // The plugin itself has two instances and one memory.
    let instances = |n: usize, module: &str| {
        plugin_with(&format!("(core module $m {module})\n{}", "(core instance (instantiate $m))\n".repeat(n)))
    };
    let inside = "(core instance (instantiate $m))\n".repeat(999);
    let nested =
        plugin_with(&format!("(component $c (core module $m) {inside})\n(instance (instantiate $c))"));
    let home = Home::new()
        .file("instances-32.wasm", &instances(30, ""))
        .file("instances-33.wasm", &instances(31, ""))
        .file("instances-1000.wasm", &instances(998, ""))
        .file("nested.wasm", &nested)
        .file("memories-8.wasm", &instances(7, "(memory 1)"))
        .file("memories-9.wasm", &instances(8, "(memory 1)"));
    assert_eq!(home.plugin("instances-32.wasm")["reason"], Value::Null);
    assert_eq!(home.plugin("memories-8.wasm")["reason"], Value::Null);
    assert_refused(&home, "instances-33.wasm", "instance");
    assert_refused(&home, "instances-1000.wasm", "instance");
    assert_refused(&home, "nested.wasm", "instance");
    assert_refused(&home, "memories-9.wasm", "memor");
    observed("A11", format_args!("1,000: {}", told(&home.plugin("instances-1000.wasm"))));
    observed("A11", format_args!("in a nested component: {}", told(&home.plugin("nested.wasm"))));
}

/// Each proposal, a use of it, and a word of the reason.
const PROPOSALS: [(&str, &str, &str); 18] = [
    ("memory64", "(core module (memory i64 1))", "memory64"),
    ("table64", "(core module (table i64 1 funcref))", "memory64"),
    ("threads", "(core module (memory 1 1 shared))", "thread"),
    ("atomics", "(core module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))", "thread"),
    ("gc-struct", "(core module (type (struct (field i32))))", "gc"),
    ("gc-i31", "(core module (func (drop (ref.i31 (i32.const 1)))))", "gc"),
    ("references", "(core module (type $f (func)) (func (param (ref $f))))", "reference"),
    ("exceptions", "(core module (tag))", "exception"),
    ("tail-call", "(core module (func return_call 0))", "tail call"),
    ("multi-memory", "(core module (memory 1) (memory 1))", "memor"),
    (
        "relaxed-simd",
        "(core module (func (param v128) (drop (i32x4.relaxed_trunc_f32x4_s (local.get 0)))))",
        "relaxed",
    ),
    ("stack-switching", "(core module (type $f (func)) (type (cont $f)))", "stack switching"),
    (
        "wide-arithmetic",
        "(core module (func (param i64 i64) (result i64 i64) (i64.mul_wide_s (local.get 0) (local.get 1))))",
        "wide",
    ),
    ("page-size", "(core module (memory 1 (pagesize 1)))", "page size"),
    ("future", "(type (future))", "async"),
    ("stream", "(type (stream u8))", "async"),
    ("cancel", "(type $t (future)) (core func (canon future.cancel-read $t))", "async"),
    ("error-context", "(type error-context)", "error"),
];

#[test]
fn proposals_that_are_off_are_refused_by_name() {
    let home = PROPOSALS.iter().fold(Home::new().wat("plain"), |home, (name, text, _)| {
        home.file(&format!("{name}.wasm"), &plugin_with(text))
    });
    let list = home.plugin_list();
    let refused = |names: &[&str]| {
        let is_one = |plugin: &&Value| names.contains(&plugin["id"].as_str().unwrap());
        list.iter().filter(is_one).filter(|plugin| plugin["state"] == "refused").count()
    };
    for (name, _, word) in PROPOSALS {
        let plugin = list.iter().find(|plugin| plugin["id"] == name).unwrap();
        assert_eq!(plugin["state"], "refused", "{plugin:#}");
        let reason = plugin["reason"].as_str().unwrap().to_lowercase();
        assert!(reason.contains(word) && !reason.contains('\n'), "{name}: {reason}");
    }
    assert_eq!(list.iter().filter(|plugin| plugin["state"] == "ready").count(), 1);
    observed("A42", format_args!("{} uses refused by name", refused(&PROPOSALS.map(|(name, ..)| name))));
    observed("A45", format_args!("{} uses of async refused", refused(&["future", "stream", "cancel"])));
}

/// The plugin that only answers, with one more core module at its end, and perhaps an instance of that.
fn with_module(module: &Module, is_instance: bool) -> Vec<u8> {
    let mut component = guests::wat("plain");
    // Core modules are section 1, their instances section 2: one, of the third module, without arguments.
    let mut section = |id: u8, data: &[u8]| {
        component.push(id);
        data.encode(&mut component);
    };
    section(1, module.as_slice());
    if is_instance {
        section(2, &[1, 0, 2, 0]);
    }
    component
}

/// A module with one type, one memory, and a function of this body.
fn with_function(function: &Function) -> Module {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut code = CodeSection::new();
    code.function(function);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    module
}

/// A module whose memory is filled in as many pieces.
fn pieces(count: u32) -> Module {
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut data = DataSection::new();
    for at in 0..count {
        data.active(0, &ConstExpr::i32_const(at as i32 % 65_536), *b"x");
    }
    let mut module = Module::new();
    module.section(&memories).section(&data);
    module
}

/// A module with a jump to as many places.
fn jump(targets: usize) -> Module {
    let mut function = Function::new([]);
    function.instruction(&Instruction::LocalGet(0));
    function.instruction(&Instruction::BrTable(vec![0; targets].into(), 0));
    function.instruction(&Instruction::End);
    with_function(&function)
}

/// A module with as many types, no two of them alike.
fn types(count: usize) -> Module {
    const DIGITS: [ValType; 4] = [ValType::I32, ValType::I64, ValType::F32, ValType::F64];
    let mut types = TypeSection::new();
    for number in 0..count {
        let digits = (0..10).map(|place| DIGITS[(number >> (2 * place)) % 4]);
        types.ty().function(digits, []);
    }
    let mut module = Module::new();
    module.section(&types);
    module
}

/// A module with as many functions that do nothing.
fn functions(count: u32) -> Module {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
    let mut empty = Function::new([]);
    empty.instruction(&Instruction::End);
    for _ in 0..count {
        functions.function(0);
        code.function(&empty);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    module
}

/// A function with as many locals.
fn locals(count: u32) -> Module {
    let mut function = Function::new([(count, ValType::I32)]);
    function.instruction(&Instruction::End);
    with_function(&function)
}

/// A component type with as many lists in one another.
fn nested_type(depth: usize) -> Vec<u8> {
    let lists: String = (1..depth).map(|n| format!("(type $t{n} (list $t{}))\n", n - 1)).collect();
    plugin_with(&format!("(type $t0 (list u8))\n{lists}"))
}

#[test]
fn modules_made_to_keep_the_compiler_busy_are_loaded_or_refused_while_others_serve() {
    let cases = [
        ("pieces", with_module(&pieces(99_000), true), "ready"),
        ("more-pieces", with_module(&pieces(100_001), true), "100000"),
        ("jump", with_module(&jump(60_000), false), "ready"),
        ("longest-jump", with_module(&jump(7_000_000), false), "br_table"),
        ("types", with_module(&types(1_000_000), false), "more than 100000"),
        ("functions", with_module(&functions(1_000_000), false), "more than 100000"),
        ("locals", with_module(&locals(49_999), false), "ready"),
        ("more-locals", with_module(&locals(50_001), false), "locals"),
        ("nested", nested_type(90), "ready"),
        ("nested-deeper", nested_type(200), "nesting"),
    ];
    let home = cases
        .iter()
        .fold(Home::new().wat("plain"), |home, (name, bytes, _)| home.file(&format!("{name}.wasm"), bytes));
    let mut server = home.serve();
    let start = Instant::now();
    assert_says(&server.call("plain_run", json!({})), "done");
    let neighbour = start.elapsed();
    let names = server.tool_names();
    let all = start.elapsed();
    let peak = server.facts().peak_kib / 1024;
    server.end();
    assert_eq!(names, ["jump_run", "locals_run", "nested_run", "pieces_run", "plain_run"]);
    assert!(all < Duration::from_secs(30), "{all:?}");
    assert!(peak <= 1_024, "{peak} MiB");
    for (name, bytes, expected) in &cases {
        assert!(bytes.len() <= 16 << 20, "{name} has {} bytes", bytes.len());
        let plugin = home.plugin(&format!("{name}.wasm"));
        let reason = plugin["reason"].as_str().unwrap_or("ready");
        assert!(reason.contains(expected), "{plugin:#}");
    }
    let count = cases.len();
    observed(
        "A37",
        format_args!("{count} modules in {all:.1?}, {peak} MiB at most; a neighbour after {neighbour:.1?}"),
    );
}
