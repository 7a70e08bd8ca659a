//! `hubcap demo`: the whole thing at work, from source to findings.
//!
//! Invariant: it does nothing that a user could not do: the server is this program as a child, and
//! the demo is an MCP client of it like any other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::process::{Child, Command};

use crate::cli::{Done, Failure, batches, build, child, print};
use crate::mcp::{Answer, Client};
use crate::model::Receipt;

/// Findings that are shown in full.
const SHOWN: usize = 12;
/// The demo's own home in the checkout: nothing of the user's is read or written.
const HOME: &str = "target/demo";
/// The tool that is called.
const SCAN: &str = "placeholder-detector_scan";

#[derive(Args)]
pub(super) struct Options {
    /// Directory to scan [default: the checkout itself]
    dir: Option<PathBuf>,
}

/// A finding, as the detector's output schema has it.
#[derive(Deserialize)]
struct Finding {
    path: Option<String>,
    line: u64,
    column: u64,
    rule: String,
    severity: String,
    message: String,
}

pub(super) async fn run(options: Options) -> Done {
    let checkout = checkout()?;
    let scanned = options.dir.unwrap_or_else(|| checkout.clone());
    if !scanned.is_dir() {
        return Err(Failure::Usage(format!("{} is not a directory", scanned.display())));
    }
    build_bundled(&checkout).await?;
    let (mut server, client) = start(&checkout.join(HOME)).await?;
    let shown = show(&client, &scanned).await;
    let closed = client.close().await.map_err(Failure::Failed);
    child::stop(&mut server).await?;
    shown.and(closed)
}

/// The checkout that this directory is in.
fn checkout() -> Result<PathBuf, Failure> {
    let here = std::env::current_dir().map_err(|error| Failure::Usage(error.to_string()))?;
    let marks = ["wit/plugin/worlds.wit", "plugins/placeholder-detector/plugin.toml"];
    here.ancestors()
        .find(|folder| marks.iter().all(|mark| folder.join(mark).is_file()))
        .map(Path::to_owned)
        .ok_or_else(|| Failure::Usage("the demo builds the bundled plugins: run it inside a checkout of hubcap (git clone, then `cargo run --release -- demo`); `hubcap demo DIR` then scans DIR".into()))
}

async fn build_bundled(checkout: &Path) -> Done {
    show_line("Building the bundled plugins")?;
    let out = checkout.join(HOME).join("plugins");
    let started = Instant::now();
    let mut folders: Vec<PathBuf> = std::fs::read_dir(checkout.join("plugins"))
        .map_err(|error| Failure::Failed(format!("cannot read plugins/: {error}")))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|folder| folder.join("plugin.toml").is_file())
        .collect();
    folders.sort();
    for folder in &folders {
        build::build(folder, Some(&out)).await?;
    }
    show_line(&format!(
        "  {} built in {} ms, each a component with its manifest inside",
        folders.len(),
        started.elapsed().as_millis()
    ))?;
    forget(&checkout.join(HOME))
}

/// What was built just now is new to the demo's home, whatever it built before.
fn forget(home: &Path) -> Done {
    match std::fs::remove_file(home.join("hubcap.lock")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::Failed(format!("cannot begin anew in {}: {error}", home.display())))
        }
        _ => Ok(()),
    }
}

/// Starts this program as a server and speaks MCP to it.
async fn start(home: &Path) -> Result<(Child, Client), Failure> {
    let failed = |error: std::io::Error| Failure::Failed(format!("cannot start the server: {error}"));
    let program = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(&program);
    command.args(["serve", "--log", "warn", "--home"]).arg(home);
    command.args(["--plugins".as_ref(), home.join("plugins").as_os_str()]);
    let (server, input, output) = child::start(&mut command).map_err(failed)?;
    let client = Client::connect(output, input).await.map_err(Failure::Failed)?;
    Ok((server, client))
}

async fn show(client: &Client, scanned: &Path) -> Done {
    let started = Instant::now();
    let tools = client.tools().await.map_err(Failure::Failed)?;
    show_line(&format!(
        "\nServing them over stdio; the first tools/list took {} ms:",
        started.elapsed().as_millis()
    ))?;
    for (name, description) in &tools {
        show_line(&format!("  {name}\n      {}", description.lines().next().unwrap_or_default()))?;
    }
    let sources = batches::read(scanned);
    show_line(&format!(
        "\nScanning {} files ({} KiB) of {}",
        sources.files,
        sources.bytes / 1_024,
        scanned.display()
    ))?;
    let started = Instant::now();
    let calls = sources.batches.len();
    let mut findings = Vec::new();
    let mut receipts = Vec::new();
    for batch in sources.batches {
        let reply = scan(client, batch).await?;
        findings.extend(read_findings(&reply)?);
        receipts.extend(reply.receipt);
    }
    let took = started.elapsed();
    show_findings(&findings)?;
    show_line(&format!("\n{} findings, {calls} calls, {} ms in all", findings.len(), took.as_millis()))?;
    show_receipt(&receipts)
}

async fn scan(client: &Client, files: Vec<Value>) -> Result<Answer, Failure> {
    let arguments = Map::from_iter([("files".to_owned(), Value::Array(files))]);
    let reply = client.call(SCAN, arguments).await.map_err(Failure::Failed)?;
    if reply.is_error { Err(Failure::Failed(reply.text)) } else { Ok(reply) }
}

fn read_findings(reply: &Answer) -> Result<Vec<Finding>, Failure> {
    let findings =
        reply.structured.as_ref().map(|structured| structured["findings"].clone()).unwrap_or_default();
    serde_json::from_value(findings)
        .map_err(|error| Failure::Failed(format!("the findings are not as expected: {error}")))
}

fn show_findings(findings: &[Finding]) -> Done {
    for finding in findings.iter().take(SHOWN) {
        let path = finding.path.as_deref().unwrap_or("-");
        show_line(&format!(
            "  {path}:{}:{}  {} [{}]\n      {}",
            finding.line, finding.column, finding.severity, finding.rule, finding.message
        ))?;
    }
    if findings.len() > SHOWN {
        show_line(&format!("  … and {} more", findings.len() - SHOWN))?;
    }
    let mut by_rule = BTreeMap::new();
    for finding in findings {
        *by_rule.entry(finding.rule.as_str()).or_insert(0_usize) += 1;
    }
    show_line("\nBy rule:")?;
    by_rule.iter().try_for_each(|(rule, count)| show_line(&format!("  {count:5}  {rule}")))
}

/// What the costliest call cost, in words.
fn show_receipt(receipts: &[Receipt]) -> Done {
    let Some(receipt) = receipts.iter().max_by_key(|receipt| receipt.fuel) else {
        return Ok(());
    };
    show_line("\nEvery call comes with a receipt. The costliest one's:")?;
    show_line(&format!(
        "  fuel         {:>12}  WebAssembly instructions, about; a call may use 1,000,000,000",
        receipt.fuel
    ))?;
    show_line(&format!(
        "  peak memory  {:>8} KiB  of the plugin, which may use 65,536 KiB and is gone after the call",
        receipt.peak_memory_bytes / 1_024
    ))?;
    show_line(&format!(
        "  wall time    {:>9} ms  inside the sandbox, started fresh for this call",
        receipt.wall_micros / 1_000
    ))?;
    show_line(&format!(
        "  result       {:>8} KiB  checked against the tool's output schema",
        receipt.result_bytes / 1_024
    ))?;
    show_line(&format!("  log lines    {:>12}", receipt.log_lines))
}

fn show_line(line: &str) -> Done {
    print(&format!("{line}\n"))
}
