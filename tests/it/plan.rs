//! What annotations of crun's ask for, seen from both sides.

use std::os::unix::net::UnixListener;

use serde_json::json;

use crate::harness::{Bundle, Case, agent, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_pidfd_goes_to_the_receiver,
        an_agent_of_the_annotation_is_asked,
        groups_of_the_caller_stay,
        what_hooks_write_goes_to_files,
    ]
}

fn groups_of_the_caller_stay() {
    let groups = |bundle: Bundle| {
        bundle.write_config();
        let dir = bundle.dir.to_str().unwrap().to_owned();
        let through = ["setpriv", "--groups", "7,8"];
        bundle.call_through(&through, &["run", "--bundle", &dir, &bundle.id]).done().ok().stdout
    };
    let of_config = || Bundle::new().probe("ids").set("/process/user/additionalGids", json!([9]));
    assert!(groups(of_config()).lines().any(|line| line == "groups 9"));
    let kept = of_config().set("/annotations", json!({"run.oci.keep_original_groups": "1"}));
    let text = groups(kept);
    assert!(text.lines().any(|line| line == "groups 7 8"), "{text}");
}

fn what_hooks_write_goes_to_files() {
    let bundle = Bundle::new()
        .probe("exit 0")
        .set("/annotations", json!({"run.oci.hooks.stdout": "out", "run.oci.hooks.stderr": "err"}))
        .hook("prestart", "echo prestart; echo wrong >&2")
        .hook("createContainer", "echo createContainer")
        .hook("startContainer", "echo startContainer")
        .hook("poststart", "echo poststart")
        .hook("poststop", "echo poststop");
    let _ = bundle.run().ok();
    assert_eq!(bundle.await_file("out"), "prestart\ncreateContainer\npoststart\npoststop\n");
    assert_eq!(bundle.await_file("err"), "wrong\n");
    // A file that cannot be is an error, before anything runs.
    let bundle = Bundle::new()
        .set("/annotations", json!({"run.oci.hooks.stdout": "none/out"}))
        .hook("prestart", "echo ran >$0/ran");
    let _ = bundle.create().refused("open the file for its output: open");
    assert!(!bundle.dir.join("ran").exists());
}

fn a_pidfd_goes_to_the_receiver() {
    let bundle = Bundle::new()
        .probe("sleep")
        .set("/annotations", json!({"run.oci.pidfd_receiver": "socket"}));
    let _ = bundle.create().refused("/annotations/run.oci.pidfd_receiver: connect(");
    let listener = UnixListener::bind(bundle.dir.join("socket")).unwrap();
    let _ = bundle.create().ok();
    let (stream, _) = listener.accept().unwrap();
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = rustix::net::RecvAncillaryBuffer::new(&mut space);
    let mut bytes = [0; 64];
    let mut slices = [std::io::IoSliceMut::new(&mut bytes)];
    let flags = rustix::net::RecvFlags::CMSG_CLOEXEC;
    rustix::net::recvmsg(&stream, &mut slices, &mut control, flags).unwrap();
    let mut fds = Vec::new();
    for message in control.drain() {
        if let rustix::net::RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    let number = std::os::fd::AsRawFd::as_raw_fd(&fds[0]);
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap();
    assert!(info.contains(&format!("Pid:\t{}\n", bundle.pid())), "{info}");
}

fn an_agent_of_the_annotation_is_asked() {
    let profile = json!({"defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["getppid"], "action": "SCMP_ACT_NOTIFY"}]});
    let bundle = Bundle::new()
        .probe("syscall 110")
        .set("/linux/seccomp", profile)
        .set("/annotations", json!({"run.oci.seccomp.receiver": "agent"}));
    let agent = agent(&bundle, &bundle.dir.join("agent"), "95", 1);
    crate::harness::until("the agent", || agent.output().contains("listening").then_some(()));
    if cfg!(target_arch = "x86_64") {
        let _ = bundle.run().ok().stdout("syscall 110 EOPNOTSUPP\n");
        let _ = agent.done().ok().has("call 110");
    }
}
