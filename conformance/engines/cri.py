"""A small client of the Kubernetes CRI (runtime.v1): gRPC by grpcio, messages by an encoder of our own
for the part of the API that the cases use, streams by WebSocket.

Nothing here is generated: the table below is the whole definition, and needs no protoc."""

import base64
import json
import os
import select
import socket
import struct
import time
import types
import urllib.parse

import grpc

# One message a line: FIELD:NUMBER[:TYPE]. Types: str (if none is given), int, bool, bytes, map (of strings), the name
# of another message; "*" before it: repeated. Enumerations are int. The numbers are the API's.
DEFINITIONS = """
VersionResponse version:1 runtime_name:2 runtime_version:3 runtime_api_version:4
StatusRequest verbose:1:bool
StatusResponse status:1:RuntimeStatus info:2:map
RuntimeStatus conditions:1:*RuntimeCondition
RuntimeCondition type:1 status:2:bool reason:3 message:4
Int64Value value:1:int
UInt64Value value:1:int
KeyValue key:1 value:2

PodSandboxMetadata name:1 uid:2 namespace:3 attempt:4:int
PodSandboxConfig metadata:1:PodSandboxMetadata hostname:2 log_directory:3 dns_config:4:DNSConfig labels:6:map annotations:7:map linux:8:LinuxPodSandboxConfig
DNSConfig servers:1:* searches:2:* options:3:*
LinuxPodSandboxConfig cgroup_parent:1 security_context:2:LinuxSandboxSecurityContext sysctls:3:map
LinuxSandboxSecurityContext namespace_options:1:NamespaceOption run_as_user:3:Int64Value readonly_rootfs:4:bool supplemental_groups:5:*int privileged:6:bool run_as_group:8:Int64Value seccomp:9:SecurityProfile
NamespaceOption network:1:int pid:2:int ipc:3:int target_id:4 userns_options:5:UserNamespace
UserNamespace mode:1:int uids:2:*IDMapping gids:3:*IDMapping
IDMapping host_id:1:int container_id:2:int length:3:int
SecurityProfile profile_type:1:int localhost_ref:2
RunPodSandboxRequest config:1:PodSandboxConfig runtime_handler:2
RunPodSandboxResponse pod_sandbox_id:1
StopPodSandboxRequest pod_sandbox_id:1
RemovePodSandboxRequest pod_sandbox_id:1
PodSandboxStatusRequest pod_sandbox_id:1 verbose:2:bool
PodSandboxStatusResponse status:1:PodSandboxStatus info:2:map
PodSandboxStatus id:1 metadata:2:PodSandboxMetadata state:3:int created_at:4:int network:5:PodSandboxNetworkStatus labels:7:map annotations:8:map runtime_handler:9
PodSandboxNetworkStatus ip:1
ListPodSandboxRequest filter:1:PodSandboxFilter
PodSandboxFilter id:1 state:2:StateValue label_selector:3:map
StateValue state:1:int
ListPodSandboxResponse items:1:*PodSandbox
PodSandbox id:1 state:3:int labels:5:map
PodSandboxStatsRequest pod_sandbox_id:1
PodSandboxStatsResponse stats:1:PodSandboxStats
PodSandboxStats linux:2:LinuxPodSandboxStats
LinuxPodSandboxStats cpu:1:CpuUsage memory:2:MemoryUsage network:3:NetworkUsage process:4:ProcessUsage containers:5:*ContainerStats
NetworkUsage default_interface:2:NetworkInterfaceUsage
NetworkInterfaceUsage name:1 rx_bytes:2:UInt64Value tx_bytes:4:UInt64Value
ProcessUsage process_count:2:UInt64Value

ContainerMetadata name:1 attempt:2:int
ImageSpec image:1
Mount container_path:1 host_path:2 readonly:3:bool propagation:5:int
Device container_path:1 host_path:2 permissions:3
ContainerConfig metadata:1:ContainerMetadata image:2:ImageSpec command:3:* args:4:* working_dir:5 envs:6:*KeyValue mounts:7:*Mount devices:8:*Device labels:9:map annotations:10:map log_path:11 stdin:12:bool stdin_once:13:bool tty:14:bool linux:15:LinuxContainerConfig
LinuxContainerConfig resources:1:LinuxContainerResources security_context:2:LinuxContainerSecurityContext
LinuxContainerResources cpu_period:1:int cpu_quota:2:int cpu_shares:3:int memory_limit_in_bytes:4:int oom_score_adj:5:int cpuset_cpus:6 memory_swap_limit_in_bytes:10:int
LinuxContainerSecurityContext capabilities:1:Capability privileged:2:bool namespace_options:3:NamespaceOption run_as_user:5:Int64Value run_as_username:6 readonly_rootfs:7:bool supplemental_groups:8:*int no_new_privs:11:bool run_as_group:12:Int64Value masked_paths:13:* readonly_paths:14:* seccomp:15:SecurityProfile
Capability add_capabilities:1:* drop_capabilities:2:*
CreateContainerRequest pod_sandbox_id:1 config:2:ContainerConfig sandbox_config:3:PodSandboxConfig
CreateContainerResponse container_id:1
StartContainerRequest container_id:1
StopContainerRequest container_id:1 timeout:2:int
RemoveContainerRequest container_id:1
ReopenContainerLogRequest container_id:1
ListContainersRequest filter:1:ContainerFilter
ContainerFilter id:1 state:2:StateValue pod_sandbox_id:3 label_selector:4:map
ListContainersResponse containers:1:*Container
Container id:1 pod_sandbox_id:2 metadata:3:ContainerMetadata image:4:ImageSpec image_ref:5 state:6:int labels:8:map
ContainerStatusRequest container_id:1 verbose:2:bool
ContainerStatusResponse status:1:ContainerStatus info:2:map
ContainerStatus id:1 metadata:2:ContainerMetadata state:3:int created_at:4:int started_at:5:int finished_at:6:int exit_code:7:int reason:10 message:11 labels:12:map log_path:15
UpdateContainerResourcesRequest container_id:1 linux:2:LinuxContainerResources
ExecSyncRequest container_id:1 cmd:2:* timeout:3:int
ExecSyncResponse stdout:1:bytes stderr:2:bytes exit_code:3:int
ExecRequest container_id:1 cmd:2:* tty:3:bool stdin:4:bool stdout:5:bool stderr:6:bool
ExecResponse url:1
AttachRequest container_id:1 stdin:2:bool tty:3:bool stdout:4:bool stderr:5:bool
AttachResponse url:1
PortForwardRequest pod_sandbox_id:1 port:2:*int
PortForwardResponse url:1
ContainerStatsRequest container_id:1
ContainerStatsResponse stats:1:ContainerStats
ListContainerStatsRequest filter:1:ContainerStatsFilter
ContainerStatsFilter id:1 pod_sandbox_id:2
ListContainerStatsResponse stats:1:*ContainerStats
ContainerStats attributes:1:ContainerAttributes cpu:2:CpuUsage memory:3:MemoryUsage writable_layer:4:FilesystemUsage
ContainerAttributes id:1 labels:3:map
CpuUsage timestamp:1:int usage_core_nano_seconds:2:UInt64Value
MemoryUsage timestamp:1:int working_set_bytes:2:UInt64Value
FilesystemUsage timestamp:1:int used_bytes:3:UInt64Value

ImageStatusRequest image:1:ImageSpec
ImageStatusResponse image:1:Image
ListImagesRequest
ListImagesResponse images:1:*Image
Image id:1 repo_tags:2:* size:4:int username:6
"""
MESSAGES = {}
for line in DEFINITIONS.split("\n"):
    if line:
        name, *fields = line.split()
        parts = [(field + ":str").split(":")[:3] for field in fields]
        MESSAGES[name] = {f: (int(n), t.lstrip("*") or "str", t[0:1] == "*") for f, n, t in parts}
IMAGE_METHODS = {"ListImages", "ImageStatus"}


def _varint(n):
    n &= (1 << 64) - 1  # what is negative is sent as 64 bits
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def _field(number, kind, value):
    if kind in ("int", "bool"):
        return _varint(number << 3) + _varint(int(value))
    if kind == "str":
        value = value.encode()
    elif kind != "bytes":
        value = encode(kind, value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def encode(message, values):
    """The message of that name with these values (a dict) on the wire."""
    out = b""
    for key, value in values.items():
        number, kind, repeated = MESSAGES[message][key]
        if kind == "map":
            out += b"".join(_field(number, "KeyValue", {"key": k, "value": v}) for k, v in value.items())
        elif repeated:
            out += b"".join(_field(number, kind, v) for v in value)
        else:
            out += _field(number, kind, value)
    return out


def _read_varint(data, at):
    n = shift = 0
    while True:
        n |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return n, at


def _signed(n):
    return n - (1 << 64) if n >> 63 else n


def decode(message, data):
    """An object with every member of the message, of which what is not there has its default; None for a message."""
    known = MESSAGES.get(message, {})
    plain = {"str": "", "int": 0, "bool": False, "bytes": b"", "map": {}}
    out = types.SimpleNamespace(**{key: [] if many else type(plain[kind])() if kind in plain else None for key, (_, kind, many) in known.items()})
    by_number = {number: (key, kind, many) for key, (number, kind, many) in known.items()}
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        wire = tag & 7
        if wire == 0:
            value, at = _read_varint(data, at)
        elif wire == 2:
            length, at = _read_varint(data, at)
            value, at = data[at : at + length], at + length
        else:
            value, at = None, at + {1: 8, 5: 4}[wire]
        key, kind, many = by_number.get(tag >> 3, (None, None, False))
        if key is None:
            continue
        if kind in ("int", "bool"):
            if wire == 2:  # a packed list
                start = 0
                while start < len(value):
                    n, start = _read_varint(value, start)
                    getattr(out, key).append(_signed(n))
                continue
            value = bool(value) if kind == "bool" else _signed(value)
        elif kind == "str":
            value = value.decode()
        elif kind == "map":
            pair = decode("KeyValue", value)
            getattr(out, key)[pair.key] = pair.value
            continue
        elif kind != "bytes":
            value = decode(kind, value)
        if many:
            getattr(out, key).append(value)
        else:
            setattr(out, key, value)
    return out


class Failed(Exception):
    """A call that the server refused: its status code by name, and its text."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


class Runtime:
    """The CRI at that unix socket: `cri.Version()`, `cri.StopContainer(container_id=id, timeout=3)`."""

    def __init__(self, path, patience=60):
        # what a server of Go takes for an authority is no path, and no proxy has to do with a unix socket
        options = [("grpc.default_authority", "localhost"), ("grpc.enable_http_proxy", 0)]
        self.channel = grpc.insecure_channel("unix:" + path, options=options)
        self.patience = patience

    def __getattr__(self, method):
        service = "ImageService" if method in IMAGE_METHODS else "RuntimeService"
        call = self.channel.unary_unary(
            f"/runtime.v1.{service}/{method}",
            request_serializer=lambda values: encode(method + "Request", values),
            response_deserializer=lambda data: decode(method + "Response", data),
        )

        def made(**values):
            try:
                return call(values, timeout=self.patience)
            except grpc.RpcError as e:
                raise Failed(e.code().name, e.details()) from None

        return made


class Stream:
    """A stream of exec, attach or port-forward: channels in the messages of a WebSocket."""

    STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)

    def __init__(self, url, patience=60):
        u = urllib.parse.urlsplit(url)
        self.deadline = time.monotonic() + patience
        self.s = socket.create_connection((u.hostname, u.port), timeout=patience)
        key = base64.b64encode(os.urandom(16)).decode()
        path = u.path + ("?" + u.query if u.query else "")
        self.s.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {u.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: http://{u.netloc}\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            c = self.s.recv(1)
            if not c:
                raise EOFError(f"the server closed the connection: {head!r}")
            head += c
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise OSError(f"no WebSocket: {head!r}")
        self.got = {}
        self.closed = False

    def send(self, channel, data):
        data = bytes([channel]) + data
        mask = os.urandom(4)
        length = bytes([0x80 | len(data)]) if len(data) < 126 else struct.pack(">BH", 0x80 | 126, len(data))
        self.s.sendall(b"\x82" + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def resize(self, rows, columns):
        self.send(self.RESIZE, json.dumps({"Width": columns, "Height": rows}).encode())

    def _exactly(self, n):
        data = b""
        while len(data) < n:
            if not select.select([self.s], [], [], max(0, self.deadline - time.monotonic()))[0]:
                raise TimeoutError(f"the stream says no more; so far {self.got}")
            more = self.s.recv(n - len(data))
            if not more:
                return None
            data += more
        return data

    def _read(self):
        head = self._exactly(2)
        if head is None:
            self.closed = True
            return
        length = head[1] & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", self._exactly(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._exactly(8))
        data = self._exactly(length) if length else b""
        if head[0] & 0xF == 8 or data is None:
            self.closed = True
        elif data and head[0] & 0xF in (0, 1, 2):
            self.got[data[0]] = self.got.get(data[0], b"") + data[1:]

    def until(self, channel, wanted):
        """Reads until that channel has said it; what it has said."""
        while wanted not in self.got.get(channel, b""):
            if self.closed:
                raise EOFError(f"closed before {wanted!r} came; got {self.got}")
            self._read()
        return self.got[channel]

    def end(self):
        """Reads to the end: output, errors, and the exit status that the error channel tells (0 for Success)."""
        while not self.closed:
            self._read()
        self.s.close()
        said = json.loads(self.got.get(self.ERROR) or '{"status": "nothing"}')
        status = 0 if said.get("status") == "Success" else said
        for cause in (said.get("details") or {}).get("causes") or []:
            if cause.get("reason") == "ExitCode":
                status = int(cause["message"])
        return self.got.get(self.STDOUT, b""), self.got.get(self.STDERR, b""), status

    def close(self):
        self.s.close()
