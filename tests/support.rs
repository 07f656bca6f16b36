//! The table of what is supported, as docs/limits.md and the command tell it.

use std::fs;
use std::process::Command;

use gradmod::support::{Construct, Support, Way, table};

#[test]
fn the_document_holds_the_table() {
    let limits = fs::read_to_string("docs/limits.md").unwrap();
    assert!(limits.contains(&table()), "docs/limits.md must hold what `gradmod support` prints:\n{}", table());
}

#[test]
fn the_command_prints_the_table() {
    let done = Command::new(env!("CARGO_BIN_EXE_gradmod")).arg("support").output().unwrap();
    assert!(done.status.success());
    assert_eq!(String::from_utf8(done.stdout).unwrap(), table());
}

#[test]
fn names_are_in_the_table_once() {
    let names: Vec<&str> = Construct::ALL.iter().map(|construct| construct.name()).collect();
    let mut distinct = names.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), names.len());
    assert!(Way::ALL.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(Construct::ALL.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn what_several_threads_support_one_thread_supports() {
    for construct in Construct::ALL {
        for (several, one) in [(Way::ForwardThreads, Way::Forward), (Way::ReverseThreads, Way::Reverse)] {
            if construct.support(several) == Support::Exact {
                assert_eq!(construct.support(one), Support::Exact, "{construct:?}");
            }
        }
    }
}
