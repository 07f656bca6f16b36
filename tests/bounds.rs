//! `gradmod transform` has bounds on time and memory, and says which it met.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Seconds of processor time: what takes more is killed, and ends without an exit code.
const LONG: u32 = if cfg!(debug_assertions) { 100 } else { 10 };

fn channel(name: &str, parameters: &str, body: &str) -> String {
    format!(
        "NEURON {{ SUFFIX {name} NONSPECIFIC_CURRENT i RANGE g }}\nPARAMETER {{ g = 0.001\n{parameters} }}\n\
         ASSIGNED {{ v i }}\nBREAKPOINT {{ {body} }}\n"
    )
}

fn numbered(count: usize, text: impl Fn(usize) -> String) -> Vec<String> {
    (0..count).map(text).collect()
}

fn command(folder: &Path, text: &str) -> Command {
    let path = folder.join("mechanism.mod");
    fs::write(&path, text).unwrap();
    limited(LONG, &["--message-format", "json"], folder, &path)
}

fn limited(seconds: u32, options: &[&str], folder: &Path, path: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -t {seconds}; exec \"$0\" transform \"$@\"")]);
    command.arg(env!("CARGO_BIN_EXE_gradmod")).args(options).arg("-o").arg(folder.join("out")).arg(path);
    command
}

fn transform(folder: &Path, text: &str) -> Output {
    command(folder, text).output().unwrap()
}

/// The message of the only diagnostic, which has a place.
fn refusal(text: &str, code: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = transform(folder.path(), text);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    let first: serde_json::Value = serde_json::from_str(errors.lines().next().unwrap_or_default()).unwrap();
    assert_eq!(first["code"], code, "{errors}");
    assert!(first["line"].as_u64() > Some(0));
    assert!(!folder.path().join("out").exists());
    first["message"].as_str().unwrap().to_owned()
}

fn emitted(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = transform(folder.path(), text);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let mut whole = String::new();
    for entry in fs::read_dir(folder.path().join("out")).unwrap() {
        whole += &fs::read_to_string(entry.unwrap().path()).unwrap();
    }
    whole
}

#[test]
fn a_product_of_long_names_is_broken_between_factors() {
    let names = numbered(12, |k| format!("conductance_scale_of_stage_number{k}"));
    let parameters = names.join(" = 1\n") + " = 1\n";
    let body = format!("i = g*(v + 65)*exp({})", names.join("*"));
    let text = emitted(&channel("channel_of_a_long_and_honest_name", &parameters, &body));
    assert!(text.lines().all(|line| line.len() < 512));
}

#[test]
fn names_without_an_end_are_refused() {
    for length in [90, 600, 100_000] {
        let name = "q".repeat(length);
        let message = refusal(&channel("leak", &format!("{name} = 1"), &format!("i = g*v*{name}")), "too-long");
        assert!(message.contains(&format!("{length} characters")) && message.len() < 200, "{message}");
        refusal(&channel(&name, "", "i = g*v"), "too-long");
    }
}

#[test]
fn thousands_of_parameters_take_no_time() {
    let parameters: String = numbered(3_000, |k| format!("p{k} = 1\n")).concat();
    let body: String = numbered(3_000, |k| format!("x = x + p{k}*v\n")).concat();
    let text = emitted(&channel("many", &parameters, &format!("LOCAL x\nx = 0\n{body}i = g*x")));
    assert!(text.contains("p2999_many"));
}

#[test]
fn what_grows_without_an_end_is_refused_where_it_does() {
    let parameters: String = numbered(3_000, |k| format!("p{k} = 1\n")).concat();
    let product: String = numbered(3_000, |k| format!("x = exp(x*p{k})\n")).concat();
    let message = refusal(&channel("grows", &parameters, &format!("LOCAL x\nx = v\n{product}i = g*x")), "too-large");
    assert!(message.contains("derivative"), "{message}");

    let branches: String = numbered(1_000, |k| format!("ELSE IF (v < {k}) {{ x = {k}*g }}\n")).concat();
    refusal(&channel("arms", "", &format!("LOCAL x\nIF (v < 0) {{ x = 2 }} {branches} i = g*x")), "too-long");

    // Each of many equations may depend on all that were solved before.
    let solves = numbered(40, |_| "SOLVE chain METHOD sparse\n".to_owned()).concat();
    let chain = "STATE { x[200] }\nKINETIC chain { FROM j = 0 TO 198 { ~ x[j] <-> x[j + 1] (exp(v/20), 0.1) } }\n";
    let message = refusal(&(channel("solves", "", &format!("{solves}i = g*x[199]*v")) + chain), "too-large");
    assert!(message.contains("derivative"), "{message}");

    let states: String = numbered(3_000, |k| format!("s{k} ")).concat();
    let text = channel("states", "", "i = g*v") + &format!("STATE {{ {states} }}\n");
    assert!(refusal(&text, "too-large").contains("3000 STATEs"));
}

#[test]
fn includes_have_bounds() {
    let folder = tempfile::tempdir().unwrap();
    for k in 0..18 {
        let text = format!("INCLUDE \"{}.inc\"\n", k + 1).repeat(2);
        fs::write(folder.path().join(format!("{k}.inc")), text).unwrap();
    }
    fs::write(folder.path().join("18.inc"), ": nothing\n").unwrap();
    let output = transform(folder.path(), &(channel("bomb", "", "i = g*v") + "INCLUDE \"0.inc\"\n"));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("more than 500 files") && errors.lines().count() == 1, "{errors}");

    fs::write(folder.path().join("0.inc"), ": comment\n".repeat(100_000)).unwrap();
    let text = channel("bomb", "", "i = g*v") + &"INCLUDE \"0.inc\"\n".repeat(10);
    let errors = String::from_utf8_lossy(&transform(folder.path(), &text).stderr).into_owned();
    assert!(errors.contains("more than 4 MiB"), "{errors}");
    assert!(refusal(&": comment\n".repeat(500_000), "too-large").contains("more than 4 MiB"));
}

#[test]
fn what_cannot_be_said_is_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = channel("leak", "", "i = nothing*v");
    for full in [true, false] {
        let sink = || if full { Stdio::from(File::options().write(true).open("/dev/full").unwrap()) } else { closed() };
        assert_eq!(command(folder.path(), &wrong).stderr(sink()).status().unwrap().code(), Some(2));
        let fine = channel("leak", "", "i = g*v");
        let path = folder.path().join("fine.mod");
        fs::write(&path, fine).unwrap();
        let mut listing = limited(LONG, &[], folder.path(), &path);
        assert_eq!(listing.stdout(sink()).stderr(Stdio::null()).status().unwrap().code(), Some(2));
    }
}

/// A pipe that nobody reads.
fn closed() -> Stdio {
    let mut reader = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
    let pipe = reader.stdin.take().unwrap();
    reader.wait().unwrap();
    Stdio::from(pipe)
}

#[test]
fn emitted_files_follow_the_umask() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.mod"), channel("leak", "", "i = g*v")).unwrap();
    for (umask, mode) in [("022", 0o644), ("002", 0o664), ("077", 0o600)] {
        let script = format!("umask {umask}; exec \"$0\" transform -o out{umask} a.mod");
        let gradmod = env!("CARGO_BIN_EXE_gradmod");
        let done = Command::new("sh").args(["-c", &script, gradmod]).current_dir(folder.path()).output().unwrap();
        assert!(done.status.success());
        for entry in fs::read_dir(folder.path().join(format!("out{umask}"))).unwrap() {
            assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, mode);
        }
    }
}
