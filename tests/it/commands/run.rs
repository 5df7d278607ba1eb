//! `run`: standard streams and the caller's directory.

use std::io::Write;

use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases![standard_input_reaches_the_program, relative_paths_are_the_callers]
}

fn standard_input_reaches_the_program() {
    let bundle = Bundle::new().args(["/bin/cat"]);
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"from a pipe\n").unwrap();
    drop(writer);
    let _ = bundle.making("run").stdin(reader).done().ok().stdout("from a pipe\n");
    let path = bundle.dir.join("input");
    std::fs::write(&path, "from a file\n").unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let _ = bundle.making("run").stdin(file).done().ok().stdout("from a file\n");
}

fn relative_paths_are_the_callers() {
    let bundle = Bundle::new().probe("sleep");
    bundle.write_config();
    let above = bundle.dir.parent().unwrap();
    let name = bundle.dir.file_name().unwrap().to_str().unwrap();
    let create = ["create", "--bundle", name, "--pid-file", "pid-of-a-relative-path", &bundle.id];
    let _ = bundle.call(&create).cwd(above).done().ok();
    let file = above.join("pid-of-a-relative-path");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), bundle.pid().to_string());
    std::fs::remove_file(file).unwrap();
    let _ = bundle.delete_force().ok();
    // The current directory is the bundle unless another one is named.
    let _ = bundle.call(&["create", &bundle.id]).cwd(&bundle.dir).done().ok();
}
