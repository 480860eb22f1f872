use super::{Distribution, Facts, Flavour, GIB, Need, free_bytes, require_supported, version};

const SH: &str = "sh";

fn bare() -> Facts {
    Facts {
        distribution: Distribution::Debian,
        python: None,
        pip: None,
        compiler: None,
        cache: "/cache".into(),
        free: Some(GIB / 2),
    }
}

fn ready() -> Facts {
    let some = || Some("1.0".to_owned());
    Facts { python: some(), pip: some(), compiler: some(), free: Some(100 * GIB), ..bare() }
}

#[test]
fn a_bare_machine_is_told_everything_at_once() {
    let message = bare().require(Flavour::Cpu).unwrap_err().to_string();
    for part in ["python3", "pip", "C++ compiler", "0.5 GiB are free", "3 GiB are needed", "/cache"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    for command in
        ["sudo apt-get install python3\n", "sudo apt-get install python3-pip\n", "sudo apt-get install g++\n"]
    {
        assert!(message.contains(command), "{command} is not in: {message}");
    }
}

#[test]
fn a_ready_machine_is_let_through() {
    assert!(ready().require(Flavour::Cpu).is_ok());
    assert!(ready().require(Flavour::Cuda).is_ok());
}

#[test]
fn each_lack_is_named_alone() {
    let lacks = |facts: Facts| facts.missing(Flavour::Cpu).len();
    assert_eq!(lacks(Facts { pip: None, ..ready() }), 1);
    assert_eq!(lacks(Facts { compiler: None, ..ready() }), 1);
    assert_eq!(lacks(Facts { free: Some(3 * GIB - 1), ..ready() }), 1);
    assert_eq!(lacks(Facts { free: Some(3 * GIB), ..ready() }), 0);
    assert_eq!(lacks(Facts { free: None, ..ready() }), 0);
}

#[test]
fn cuda_needs_more_room() {
    let facts = Facts { free: Some(5 * GIB), ..ready() };
    assert!(facts.require(Flavour::Cpu).is_ok());
    assert!(facts.require(Flavour::Cuda).is_err());
}

#[test]
fn distributions_are_known_by_themselves_or_by_their_kin() {
    for (os_release, distribution) in [
        ("NAME=\"Debian GNU/Linux\"\nID=debian\n", Distribution::Debian),
        ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", Distribution::Debian),
        ("ID=fedora\n", Distribution::Fedora),
        ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", Distribution::Fedora),
        ("ID=manjaro\nID_LIKE=arch\n", Distribution::Arch),
        ("ID=void\n", Distribution::Other),
        ("", Distribution::Other),
    ] {
        assert_eq!(Distribution::of(os_release), distribution, "{os_release}");
    }
}

#[test]
fn each_distribution_has_its_command() {
    let needs = [Need::Python, Need::Pip, Need::Compiler];
    assert_eq!(Distribution::Debian.install(&needs), "sudo apt-get install python3 python3-pip g++");
    assert_eq!(Distribution::Fedora.install(&needs), "sudo dnf install python3 python3-pip gcc-c++");
    assert_eq!(Distribution::Arch.install(&needs), "sudo pacman -S python python-pip gcc");
    assert!(Distribution::Other.install(&needs).ends_with("python3 pip g++"));
}

#[test]
fn programs_are_asked_for_their_version() {
    let mut shell = std::process::Command::new(SH);
    assert_eq!(version(shell.args(["-c", "echo 'c 1.2 '; echo more"])).as_deref(), Some("c 1.2"));
    assert_eq!(version(std::process::Command::new(SH).args(["-c", "echo 1.2; exit 1"])), None);
    assert_eq!(version(&mut std::process::Command::new("there-is-no-such-program")), None);
}

#[test]
fn free_space_is_that_of_the_nearest_folder() {
    let folder = tempfile::tempdir().unwrap();
    assert!(free_bytes(&folder.path().join("not/yet/made")).is_some());
}

#[test]
fn this_machine_is_supported_if_it_is_linux_on_x86_64() {
    let supported = cfg!(all(target_os = "linux", target_arch = "x86_64"));
    assert_eq!(require_supported().is_ok(), supported);
}
