//! The command: what it writes, what it refuses, how it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path)
}

fn gradmod(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gradmod")).args(arguments).output().unwrap()
}

fn transform(files: &[PathBuf], output: &Path, more: &[&str]) -> Output {
    let files: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    let output = output.to_str().unwrap();
    gradmod(&[&["transform"], files.as_slice(), &["-o", output], more].concat())
}

fn channels() -> Vec<PathBuf> {
    let entries = fs::read_dir(fixture("channels")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "mod"));
    files.sort();
    files
}

fn contents(folder: &Path) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_channel_is_transformed_and_reads_back() {
    for file in channels() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = vec![file.clone()];
        if file.ends_with("kscreen.mod") {
            // It reads what these own.
            files.extend(["nmdasyn.mod", "kdr.mod"].map(|owner| file.with_file_name(owner)));
        }
        let output = transform(&files, folder.path(), &["--directions", "3"]);
        assert_eq!(output.status.code(), Some(0), "{file:?}: {}", String::from_utf8_lossy(&output.stderr));
        for (name, text) in contents(folder.path()) {
            if name.ends_with(".mod") {
                assert!(text.lines().all(|line| line.len() < 512), "{name}");
                assert!(gradmod::syntax::parse(&text).is_ok(), "{name}");
            }
        }
    }
}

#[test]
fn without_an_option_the_folder_is_called_gradients() {
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_gradmod"))
        .arg("transform")
        .args(channels())
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(done.status.success());
    assert!(folder.path().join("gradients/gradmod.json").is_file());
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let files = [fixture("channels/naf.mod"), fixture("channels/capool.mod"), fixture("channels/sk.mod")];
    for folder in [&a, &b] {
        let arguments = ["--region", "soma=naf,capool,sk", "--directions", "4"];
        assert_eq!(transform(&files, folder.path(), &arguments).status.code(), Some(0));
    }
    assert_eq!(contents(a.path()), contents(b.path()));
}

/// Files of `fixtures/unsupported`, with the code and the line of their refusal.
const REFUSED: [(&str, &str, usize); 32] = [
    ("artificial_cell", "artificial-cell", 1),
    ("bare_rate", "bare-rate", 8),
    ("before_state", "before-after", 15),
    ("call", "call", 7),
    ("computed_bound", "computed-bound", 7),
    ("computed_index", "computed-index", 11),
    ("constructor", "constructor", 3),
    ("diffusion", "longitudinal-diffusion", 8),
    ("equation_place", "equation-place", 9),
    ("event_array", "event-array", 20),
    ("event_start", "event-start", 8),
    ("event_voltage", "event-voltage", 7),
    ("event_weight", "event-weight", 8),
    ("external", "external", 1),
    ("for_netcons", "event", 7),
    ("function_table", "function-table", 6),
    ("method", "method", 5),
    ("order", "order", 5),
    ("point_concentration", "point-concentration", 1),
    ("pointer", "pointer", 1),
    ("random", "random", 4),
    ("reads_derivative", "reads-derivative", 8),
    ("recursion", "recursion", 6),
    ("reversal", "writes-reversal-potential", 1),
    ("shared", "shared-memory", 7),
    ("solve_place", "solve-place", 10),
    ("table", "table-depends", 9),
    ("too_large", "too-large", 4),
    ("table_leaves", "table-leaves", 9),
    ("too_long", "too-long", 6),
    ("unknown_function", "unknown-function", 4),
    ("verbatim", "verbatim", 6),
];

#[test]
fn refusals_name_the_place_and_write_nothing() {
    for (name, code, line) in REFUSED {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        let file = fixture(&format!("unsupported/{name}.mod"));
        let output = transform(&[file], &target, &["--message-format", "json"]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(output.stdout.is_empty());
        let text = String::from_utf8(output.stderr).unwrap();
        let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(first["code"], code, "{name}: {text}");
        assert_eq!(first["level"], "refusal", "{name}");
        assert_eq!(first["line"], line, "{name}: {text}");
        assert!(!target.exists(), "{name}");
    }
}

/// Most of what real files have in VERBATIM, and it has a way out.
#[test]
fn who_draws_random_numbers_in_c_is_told_of_random() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("given.mod");
    let refused = |draw: &str| {
        let text = format!(
            "NEURON {{ SUFFIX flick NONSPECIFIC_CURRENT i RANGE g }}\nPARAMETER {{ g = 1 (S/cm2) }}\n\
             ASSIGNED {{ v (mV) i (mA/cm2) x }}\nBREAKPOINT {{\n{draw}\ni = g*x*v }}\n"
        );
        fs::write(&file, text).unwrap();
        let output = transform(std::slice::from_ref(&file), &folder.path().join("out"), &[]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let generator = "VERBATIM\n    x = nrnran123_dblpick((nrnran123_State*) _p_rng);\nENDVERBATIM";
    for draw in [generator, "x = scop_random()", "x = normrand(0, 1)"] {
        let message = refused(draw);
        assert!(message.contains("RANDOM noise"), "{message}");
    }
    let message = refused("VERBATIM\n    x = cbrt(v);\nENDVERBATIM");
    assert!(message.contains("write it in NMODL") && !message.contains("RANDOM"), "{message}");
}

/// A loop that may run more often than it was unrolled is only noticed by a row.
#[test]
fn a_point_process_whose_step_may_be_another_is_not_inert() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("given.mod");
    let is_inert = |current: &str| {
        let text = format!(
            "NEURON {{ POINT_PROCESS Lp NONSPECIFIC_CURRENT i RANGE e, n }}\nPARAMETER {{ e = 0 (mV) n = 3 }}\n\
             ASSIGNED {{ v (mV) i (nA) }}\nSTATE {{ g (uS) }}\nINITIAL {{ g = 0 }}\n\
             BREAKPOINT {{ LOCAL k, x\nSOLVE s METHOD cnexp\n{current}\n}}\n\
             DERIVATIVE s {{ g' = -g/(2 (ms)) }}\nNET_RECEIVE(w (uS)) {{ g = g + w }}\n"
        );
        fs::write(&file, text).unwrap();
        let target = folder.path().join("out");
        let output = transform(std::slice::from_ref(&file), &target, &["--mode", "forward", "--point", "Lp"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = fs::read_to_string(target.join("gradmod.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
        fs::remove_dir_all(target).unwrap();
        manifest["regions"][0]["inert"].as_bool().unwrap()
    };
    assert!(is_inert("i = n*g*(v - e)"));
    assert!(!is_inert("i = g*(v - e)*(v - e)"));
    assert!(!is_inert("k = 0 x = 0\nWHILE (k < n) { x = x + 0.1 k = k + 1 }\ni = x*g*(v - e)"));
}

/// Messages have the user's words, not those of the emitted code.
#[test]
fn what_a_table_depends_on_has_the_name_that_the_file_gives_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("given.mod");
    fs::write(
        &file,
        "NEURON { SUFFIX tv NONSPECIFIC_CURRENT i RANGE g }\nPARAMETER { g = 1 (S/cm2) }\n\
         ASSIGNED { v (mV) i (mA/cm2) a }\nBREAKPOINT { rates(v) i = g*a*v }\n\
         PROCEDURE rates(x) { TABLE a FROM -100 TO 100 WITH 200\n a = exp(-(x + v)/10) }\n",
    )
    .unwrap();
    let output = transform(&[file], &folder.path().join("out"), &[]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("the TABLE depends on `v`,"), "{message}");
}

#[test]
fn what_acts_on_nothing_is_passed_over_with_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let files =
        ["channels/kdr", "bystanders/growstim", "bystanders/crossings", "bystanders/jitter", "bystanders/functions"]
            .map(|name| fixture(&format!("{name}.mod")));
    let notes = [
        ("artificial-cell", "GrowStim"),
        ("only-watches", "Crossings"),
        ("only-watches", "jitter"),
        ("no-mechanism", "nothing"),
    ];
    let asked = [
        vec![],
        vec!["--region", "both=kdr,jitter", "--region", "one=jitter", "--point", "Crossings"],
        vec!["--region", "both=kdr,jitter", "--mode", "reverse"],
    ];
    for more in asked {
        let arguments = [&["--message-format", "json"], more.as_slice()].concat();
        let output = transform(&files, folder.path(), &arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{text}");
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // Crossings is looked into only where it is asked for.
        let is_asked = |name: &str| more.is_empty() || name != "Crossings" || more.contains(&name);
        for (code, name) in notes.iter().filter(|(_, name)| is_asked(name)) {
            let found: Vec<_> = lines
                .iter()
                .filter(|line| line["code"] == *code && line["message"].as_str().unwrap().contains(name))
                .collect();
            assert_eq!(found.len(), 1, "{name}: {text}");
            assert_eq!(found[0]["level"], "note");
        }
        let manifest = fs::read_to_string(folder.path().join("gradmod.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        let passed: Vec<&str> =
            manifest["passed_over"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert!(passed.contains(&"GrowStim") && passed.contains(&"jitter"), "{passed:?}");
        assert_eq!(manifest["regions"][0]["mechanisms"], serde_json::json!(["kdr"]));
    }
}

#[test]
fn what_a_table_leaves_behind_must_be_the_same_whoever_sets_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(fixture("channels/kleft.mod")).unwrap();
    for (from, to) in [
        // One per segment: only the first segment's is set.
        ("GLOBAL tadj, temp", "GLOBAL temp RANGE tadj"),
        // Another value elsewhere.
        ("block = 1\n}", "block = 1\n tadj = 2\n}"),
        ("block' = -0.02*tadj*block\n", "block' = -0.02*tadj*block\n tadj = tadj + gbar\n"),
    ] {
        let file = folder.path().join("kleft.mod");
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from}");
        fs::write(&file, changed).unwrap();
        let output = transform(&[file], &folder.path().join("out"), &["--message-format", "json"]);
        assert_eq!(output.status.code(), Some(1), "{to}");
        let error = String::from_utf8(output.stderr).unwrap();
        // A GLOBAL that each segment adds to is refused for that.
        let codes = ["table-leaves", "shared-memory"];
        assert!(codes.iter().any(|code| error.contains(&format!("\"code\":\"{code}\""))), "{to}: {error}");
    }
}

#[test]
fn what_may_act_on_something_is_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("watcher.mod");
    let watcher = fs::read_to_string(fixture("bystanders/jitter.mod")).unwrap();
    for (from, to) in [
        ("RANGE size", "NONSPECIFIC_CURRENT i RANGE size"),
        ("RANGE size", "USEION ca WRITE cai RANGE size"),
        ("RANGE size", "BBCOREPOINTER other RANGE size"),
        ("RANGE size", "EXTERNAL other RANGE size"),
        ("seen = v + size", "celsius = size v = v + size"),
        ("seen = v + size", "IF (v > 0) { v = 0 } seen = v + size"),
        ("INITIAL { seen = v }", "INITIAL { VERBATIM\nf();\nENDVERBATIM\n}"),
    ] {
        let changed = watcher.replace(from, to);
        assert_ne!(changed, watcher);
        fs::write(&file, changed).unwrap();
        let output = transform(std::slice::from_ref(&file), &folder.path().join("out"), &[]);
        assert_eq!(output.status.code(), Some(1), "{to}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn pointers_that_are_only_read_are_emitted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("far.mod");
    let far = |declared: &str, blocks: &str| {
        format!(
            "NEURON {{ POINT_PROCESS far NONSPECIFIC_CURRENT i {declared} }}\n\
             PARAMETER {{ g = 1 }} STATE {{ m }} ASSIGNED {{ v i there other }}\n{blocks}\n"
        )
    };
    let read = "BREAKPOINT { i = g*(v - there) }";
    fs::write(&file, far("POINTER there, other", read)).unwrap();
    let out = folder.path().join("out");
    for mode in ["forward", "reverse"] {
        let output = transform(std::slice::from_ref(&file), &out, &["--mode", mode, "--directions", "2"]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let manifest: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(out.join("gradmod.json")).unwrap()).unwrap();
        let region = &manifest["regions"][0];
        // What nothing reads need not point to anything.
        let pointed: Vec<_> =
            region["pointers"].as_array().unwrap().iter().filter(|p| p["scope"] == "pointed").collect();
        assert_eq!(pointed.len(), 1);
        assert_eq!(pointed[0]["source"], "far.there");
        assert_eq!(region["pointer_gradients"].as_array().unwrap().len(), 1);
    }
    for (declared, blocks) in [
        ("POINTER there", "BREAKPOINT { i = g*v set() } PROCEDURE set() { IF (v > 0) { there = v } }"),
        ("POINTER there", "BREAKPOINT { i = g*m } NET_RECEIVE (w) { m = m + w*there }"),
        ("POINTER there", "BREAKPOINT { i = g*m } NET_RECEIVE (w) { INITIAL { w = there } m = m + w }"),
        ("POINTER there RANGE there", read),
        ("POINTER there", "BREAKPOINT { VERBATIM\nthere = v;\nENDVERBATIM\n i = g*v }"),
        ("BBCOREPOINTER there", "BREAKPOINT { there = v i = g*v }"),
    ] {
        fs::write(&file, far(declared, blocks)).unwrap();
        let output = transform(std::slice::from_ref(&file), &out, &["--message-format", "json"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{declared} {blocks}: {text}");
        assert!(text.contains("\"code\":\"pointer\""), "{declared} {blocks}: {text}");
    }
}

#[test]
fn draws_are_refused_where_their_order_or_number_is_not_known() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("noisy.mod");
    let noisy = |kind: &str, blocks: &str| {
        format!(
            "NEURON {{ {kind} noisy NONSPECIFIC_CURRENT i RANGE g RANDOM rng, other }}\n\
             PARAMETER {{ g = 1 }} STATE {{ m }} ASSIGNED {{ v i x }}\n{blocks}\n"
        )
    };
    let current = "BREAKPOINT { i = g*random_uniform(rng) }";
    for (kind, blocks) in [
        ("SUFFIX", "BREAKPOINT { i = g*(random_uniform(rng) - random_uniform(rng)) }"),
        ("SUFFIX", "BREAKPOINT { i = f() + f() } FUNCTION f() { f = g*random_uniform(rng) }"),
        ("SUFFIX", "BREAKPOINT { i = f(random_uniform(rng), random_uniform(rng)) } FUNCTION f(a, b) { f = g*a*b }"),
        ("SUFFIX", "BREAKPOINT { i = g*random_uniform(rng, 0, random_uniform(rng)) }"),
        ("SUFFIX", "BREAKPOINT { SOLVE s METHOD cnexp i = g*m } DERIVATIVE s { m' = random_uniform(rng) - m }"),
        (
            "SUFFIX",
            "BREAKPOINT { SOLVE s METHOD derivimplicit i = g*m } DERIVATIVE s { x = random_uniform(rng) m' = x - m*m }",
        ),
        ("SUFFIX", "BREAKPOINT { SOLVE s METHOD sparse i = g*m } KINETIC s { x = random_uniform(rng) ~ m << (x) }"),
        ("SUFFIX", "BREAKPOINT { p(v) i = g*x } PROCEDURE p(v) { TABLE x FROM 0 TO 1 WITH 9 x = random_uniform(rng) }"),
        ("SUFFIX", "BREAKPOINT { i = g*x } BEFORE BREAKPOINT { x = random_uniform(rng) }"),
        ("POINT_PROCESS", &format!("{current} NET_RECEIVE (w) {{ m = m + random_uniform(rng) }}")),
        (
            "POINT_PROCESS",
            &format!("{current} NET_RECEIVE (w, y) {{ INITIAL {{ y = random_uniform(other) }} m = m + y }}"),
        ),
    ] {
        fs::write(&file, noisy(kind, blocks)).unwrap();
        let output = transform(std::slice::from_ref(&file), &folder.path().join("out"), &["--message-format", "json"]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && text.contains("\"code\":\"random\""), "{blocks}: {text}");
    }
    for blocks in [
        "BREAKPOINT { i = g*(random_uniform(rng) - random_uniform(other)) }",
        "BREAKPOINT { SOLVE s METHOD cnexp i = g*m } DERIVATIVE s { x = random_uniform(rng) m' = x - m }",
        "BREAKPOINT { IF (v > 0 && random_uniform(rng) < 0.5 || random_uniform(rng) < 0.1) { i = g } }",
    ] {
        fs::write(&file, noisy("SUFFIX", blocks)).unwrap();
        let output = transform(std::slice::from_ref(&file), &folder.path().join("out"), &[]);
        assert_eq!(output.status.code(), Some(0), "{blocks}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_return_from_a_loop_or_a_function_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("back.mod");
    for blocks in [
        "BREAKPOINT { p() i = x } PROCEDURE p() { FROM k = 0 TO 3 { x = v\nVERBATIM\nreturn 0;\nENDVERBATIM\n} }",
        "BREAKPOINT { i = f() } FUNCTION f() { f = v\nVERBATIM\nreturn 0;\nENDVERBATIM\n}",
        "BREAKPOINT { i = v IF (v > 0) {\nVERBATIM\nreturn 0;\nENDVERBATIM\n} i = 2*v }",
    ] {
        let text = format!("NEURON {{ SUFFIX back NONSPECIFIC_CURRENT i }} ASSIGNED {{ v i x }}\n{blocks}\n");
        fs::write(&file, text).unwrap();
        let output = transform(std::slice::from_ref(&file), &folder.path().join("out"), &["--message-format", "json"]);
        let text = String::from_utf8(output.stderr).unwrap();
        let left_out = text.contains("\"level\":\"warning\"") || output.status.code() == Some(1);
        assert!(left_out && text.contains("\"code\":\"verbatim\""), "{blocks}: {text}");
    }
}

#[test]
fn what_is_wrong_in_an_included_file_is_shown_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.mod");
    fs::write(&file, "NEURON { SUFFIX a }\nINCLUDE \"b.inc\"\nBREAKPOINT { rates(v) }\n").unwrap();
    let included = folder.path().join("b.inc");
    fs::write(&included, ": rates\nPROCEDURE rates(v) {\n    FROM k = 0 TO 9 BY v { v = v + 1 }\n}\n").unwrap();
    let target = folder.path().join("out");
    let output = transform(std::slice::from_ref(&file), &target, &["--message-format", "json"]);
    let text = String::from_utf8(output.stderr).unwrap();
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(first["code"], "computed-bound", "{text}");
    assert_eq!(first["file"], included.display().to_string());
    assert_eq!(first["line"], 3);
    fs::remove_file(&included).unwrap();
    let output = transform(&[file], &target, &["--message-format", "json"]);
    let text = String::from_utf8(output.stderr).unwrap();
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!((&first["code"], &first["line"]), (&"include".into(), &2.into()), "{text}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn tables_that_miss_a_dependence_are_in_the_manifest() {
    let folder = tempfile::tempdir().unwrap();
    for (file, tables) in [
        (
            "stale/kstale.mod",
            serde_json::json!([
                {"mechanism": "kstale", "block": "rates", "variables": ["vhalf_kstale"]}
            ]),
        ),
        ("channels/ktab.mod", serde_json::json!([])),
        ("channels/naf.mod", serde_json::json!([])),
    ] {
        assert_eq!(transform(&[fixture(file)], folder.path(), &[]).status.code(), Some(0));
        let text = fs::read_to_string(folder.path().join("gradmod.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(manifest["regions"][0]["stale_tables"], tables, "{file}");
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let naf = fixture("channels/naf.mod");
    for arguments in
        [vec!["--region", "soma"], vec!["--region", "soma=nothere"], vec!["--point", "naf"], vec!["--directions", "0"]]
    {
        let output = transform(std::slice::from_ref(&naf), folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
    let missing = transform(&[folder.path().join("none.mod")], folder.path(), &[]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(contents(folder.path()).is_empty());
}

#[test]
fn variables_that_are_named_after_one_another_keep_apart() {
    let folder = tempfile::tempdir().unwrap();
    let output = transform(&[fixture("channels/alike.mod")], folder.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let manifest = fs::read_to_string(folder.path().join("gradmod.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let region = &manifest["regions"][0];
    let mut names = Vec::new();
    for (list, key) in [("pointers", "name"), ("states", "gradient"), ("parameters", "seed")] {
        names.extend(region[list].as_array().unwrap().iter().map(|entry| entry[key].as_str().unwrap()));
    }
    let text = fs::read_to_string(folder.path().join(region["file"].as_str().unwrap())).unwrap();
    // A LOCAL hides what is declared outside.
    let locals = text.split("LOCAL ").skip(1).flat_map(|part| {
        let list = part.split_terminator("\n    ").take_while(|line| line.ends_with(','));
        let count = list.clone().count();
        part.lines().take(count + 1).flat_map(|line| line.split(',')).map(str::trim)
    });
    let locals: std::collections::BTreeSet<&str> = locals.collect();
    let all = names.len();
    names.retain(|name| !locals.contains(name));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(locals.len() > 10);
}

#[test]
fn reverse_mode_writes_a_recorder_and_an_adjoint_of_each_region() {
    let folder = tempfile::tempdir().unwrap();
    let files = [fixture("channels/cabuf.mod"), fixture("channels/cah.mod"), fixture("channels/nacarry.mod")];
    let more = ["--mode", "reverse", "--region", "a=cabuf,cah", "--region", "b=nacarry"];
    let output = transform(&files, folder.path(), &more);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let written = contents(folder.path());
    let start = |name: &str| written.iter().filter(|(file, _)| file.starts_with(name)).count();
    assert_eq!((start("gm_rec_"), start("gm_adj_"), start("gm_")), (2, 2, 7));
    for (name, text) in written.iter().filter(|(name, _)| name.ends_with(".mod")) {
        assert!(text.lines().all(|line| line.len() < 512), "{name}");
    }
}

#[test]
fn reverse_mode_refuses_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let more = ["--mode", "reverse", "--point", "Queue"];
    let output = transform(&[fixture("unsupported/reverse_event_array.mod")], &target, &more);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("reverse-event-array") && text.contains("`when`"), "{text}");
    assert!(!target.exists());
    // Without regions it is not known what is fused.
    let output = transform(&[fixture("channels/kdr.mod")], &target, &["--mode", "reverse"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn passes_are_written_to_be_read() {
    let files = [fixture("channels/capool.mod"), fixture("channels/sk.mod")];
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for folder in [&a, &b] {
        let passes = folder.path().join("passes");
        let arguments = ["--region", "soma=sk,capool", "--dump-passes", passes.to_str().unwrap()];
        let output = transform(&files, &folder.path().join("out"), &arguments);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let stages = ["1-parsed", "2-checked", "3-step", "4-derivative", "5-emitted"];
    let read = |stage: &str| contents(&a.path().join("passes").join(stage));
    for stage in stages {
        assert_eq!(read(stage), contents(&b.path().join("passes").join(stage)), "{stage}");
    }
    let [parsed, checked, step, derivative, emitted] = stages.map(read);
    assert_eq!(parsed.len(), 2);
    assert!(gradmod::syntax::parse(&parsed[1].1).is_ok());
    assert!(checked[1].1.contains("khalf: parameter, GLOBAL"), "{}", checked[1].1);
    // The state by its formula in the step, by NEURON's value in the derivative.
    assert!(step[0].1.contains("[cai] = ") && step[0].1.contains("sk_hill_n"), "{}", step[0].1);
    assert!(!step[0].1.contains("cai_n1") && derivative[0].1.contains("cai_n1"));
    assert!(derivative[0].1.contains("S[k] = "), "{}", derivative[0].1);
    let written = contents(&a.path().join("out"));
    assert!(emitted.iter().all(|file| written.contains(file)) && emitted.len() + 1 == written.len());
}

#[test]
fn a_region_needs_a_name_and_mechanisms_that_are_given() {
    let folder = tempfile::tempdir().unwrap();
    for (text, why) in [
        ("kdr", "expected NAME=MECH"),
        ("9x=kdr", "`9x` can't be part of a mechanism's name"),
        ("all=kdr,naf", "no given file declares the mechanism `naf`"),
    ] {
        let output = transform(&[fixture("channels/kdr.mod")], &folder.path().join("out"), &["--region", text]);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}: {message}");
        assert!(message.contains(why), "{message}");
        assert!(!folder.path().join("out").exists());
    }
}

#[test]
fn a_parameter_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let told = |more: &[&str]| {
        let output = transform(&[fixture("channels/nmdasyn.mod")], folder.path(), more);
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stderr).unwrap()
    };
    let message = told(&["--wrt", "decay_NmdaSyn"]);
    assert!(message.contains("--wrt decay_NmdaSyn: nothing here depends on"), "{message}");
    assert!(message.contains("NmdaSyn.decay"), "{message}");
    assert_eq!(told(&["--wrt", "NmdaSyn.decay,mg_NmdaSyn"]), "");
    assert_eq!(told(&["--wrt", "decay_NmdaSyn", "--message-format", "json"]), "");
}

#[test]
fn passes_before_a_refusal_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let passes = folder.path().join("passes");
    let arguments = ["--dump-passes", passes.to_str().unwrap()];
    let output = transform(&[fixture("unsupported/shared.mod")], &folder.path().join("out"), &arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(passes.join("2-checked").exists() && !passes.join("3-step").exists());
}

fn written(text: &str, more: &[&str]) -> (String, serde_json::Value) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("given.mod");
    fs::write(&file, text).unwrap();
    let output = transform(&[file], &folder.path().join("out"), more);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let found = contents(&folder.path().join("out"));
    let emitted = found.iter().find(|(name, _)| name.starts_with("gm_all")).unwrap();
    let manifest = fs::read_to_string(folder.path().join("out/gradmod.json")).unwrap();
    (emitted.1.clone(), serde_json::from_str(&manifest).unwrap())
}

/// Where a slope may be infinite, products with what does not change are made by a function of ours.
#[test]
fn the_functions_that_code_calls_are_there() {
    let (text, _) = written(
        "NEURON { SUFFIX poles NONSPECIFIC_CURRENT i RANGE g, e, y, z }\n\
         PARAMETER { g = 0.0003 (S/cm2) e = -50 (mV) a = 0.01 }\nASSIGNED { v (mV) i (mA/cm2) y z }\n\
         INITIAL { y = 1 z = 1 }\nBEFORE BREAKPOINT { y = 1 + a*(v + 65)^2*0.01 + 0.001*z*z/(1 + z*z) }\n\
         BEFORE STEP { z = y*y*exp(-0.01*(v + 65))/(1 + y*y) }\nBREAKPOINT { i = g*y*(v - e) }\n",
        &[],
    );
    assert!(text.contains("= times_unless_0(") || text.contains("+ times_unless_0("), "{text}");
    assert!(text.contains("FUNCTION times_unless_0"), "{text}");
}

/// NEURON computes the factors in our file, which knows no names of units but its own.
#[test]
fn factors_are_written_without_the_units_that_a_file_names() {
    let (text, _) = written(
        "UNITS { (mV) = (millivolt) (cell) = (mV) R = (k-mole) (cell-coulomb/degC) }\n\
         NEURON { SUFFIX named NONSPECIFIC_CURRENT i RANGE g }\n\
         PARAMETER { g = 1e-4 (S/cm2) }\nASSIGNED { v (mV) i (mA/cm2) }\n\
         BREAKPOINT { i = g*R*v }\n",
        &[],
    );
    assert!(text.contains("named_R = (k-mole) (millivolt-coulomb/degC)"), "{text}");
}

/// A PARAMETER that INITIAL may correct must keep its value only where a gradient in it is asked for.
#[test]
fn parameters_that_initial_corrects() {
    let model = "NEURON { SUFFIX warm NONSPECIFIC_CURRENT i RANGE g, speed }\n\
         PARAMETER { g = 1e-4 (S/cm2) speed = 1 }\nASSIGNED { v (mV) i (mA/cm2) }\n\
         INITIAL { IF (speed < 1) { speed = 1 } }\nBREAKPOINT { i = g*speed*v }\n";
    let corrected = |more: &[&str]| written(model, more).1["regions"][0]["corrected"].as_array().unwrap().len();
    assert_eq!(corrected(&[]), 1);
    assert_eq!(corrected(&["--wrt", "speed_warm"]), 1);
    assert_eq!(corrected(&["--wrt", "g_warm"]), 0);
}

/// A PARAMETER that only INITIAL corrects is followed; one that each step sets anew is not what INITIAL read.
#[test]
fn reverse_mode_refuses_a_parameter_that_steps_set_and_initial_reads() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("given.mod");
    let text = "NEURON { SUFFIX remembers NONSPECIFIC_CURRENT i RANGE g, shift }\n\
         PARAMETER { g = 1e-4 (S/cm2) shift = 0 (mV) }\nSTATE { m }\nASSIGNED { v (mV) i (mA/cm2) }\n\
         INITIAL { m = 1/(1 + exp((v - shift)/9)) }\n\
         BREAKPOINT { shift = 0.2*v SOLVE states METHOD cnexp i = g*m*(v + 65) }\n\
         DERIVATIVE states { m' = (1/(1 + exp((v - shift)/9)) - m)/5 }\n";
    fs::write(&file, text).unwrap();
    let more = ["--mode", "reverse", "--region", "r=remembers"];
    let output = transform(&[file], &folder.path().join("out"), &more);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("reverse-initial") && message.contains("`shift`"), "{message}");
}

/// The adjoint of one mechanism.
fn adjoint(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mechanism.mod");
    fs::write(&file, text).unwrap();
    let target = folder.path().join("out");
    let output = transform(&[file], &target, &["--mode", "reverse", "--region", "r=mechanism"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    contents(&target).into_iter().find(|(name, _)| name.starts_with("gm_adj")).unwrap().1
}

/// C takes a declaration once: long sums are not in parts there.
#[test]
fn a_sum_of_hundreds_of_terms_is_one_declaration() {
    let names: Vec<String> = (0..300).map(|k| format!("x{k}")).collect();
    let equations: Vec<String> = names.iter().map(|name| format!("{name}' = hub*v - {name}*0.3")).collect();
    let text = adjoint(&format!(
        "NEURON {{ SUFFIX mechanism NONSPECIFIC_CURRENT i RANGE g }}\nPARAMETER {{ g = 0.001 }}\nASSIGNED {{ v i }}\n\
         STATE {{ hub {} }}\nBREAKPOINT {{ SOLVE spokes METHOD euler\ni = g*hub*v*({}) }}\n\
         DERIVATIVE spokes {{\nhub' = -hub\n{}\n }}\n",
        names.join(" "),
        names.join(" + "),
        equations.join("\n"),
    ));
    assert!(text.contains("const double before0"), "no such sum");
    assert!(!text.contains("= const double"), "a declaration within a sum");
}

/// What INITIAL makes and NEURON does not show is made anew before the steps, of units too.
#[test]
fn units_that_only_initial_reads_are_declared() {
    let text = adjoint(
        "NEURON { SUFFIX mechanism NONSPECIFIC_CURRENT i RANGE g }\nUNITS { PI = (pi) (1) }\nPARAMETER { g = 0.001 }\n\
         ASSIGNED { v i diam hidden }\nINITIAL { hidden = PI*diam }\nBREAKPOINT { i = g*hidden*v }\n",
    );
    assert!(text.contains("_PI*"), "{text}");
    assert!(text.contains("_PI = (pi)"));
}
