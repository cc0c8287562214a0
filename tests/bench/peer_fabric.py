"""peer_fabric.py DIR HOSTS STEPS COMMAND: the steps, one after the other, on all
hosts by Fabric's ThreadingGroup; each step's status is printed.  Host keys are
not looked at: Fabric does not, unless told to."""

import sys
import warnings

warnings.filterwarnings("ignore")

from fabric import Config, Connection, ThreadingGroup  # noqa: E402

directory, count, steps, command = sys.argv[1:]
with open(directory + "/hosts", encoding="ascii") as f:
    hosts = f.read().split()[: int(count)]
config = Config(runtime_ssh_path=directory + "/ssh_config")
login = {
    "key_filename": [directory + "/key"],
    "allow_agent": False,
    "look_for_keys": False,
}
group = ThreadingGroup.from_connections(
    [Connection(host, config=config, connect_kwargs=login) for host in hosts]
)
worst = 0
for step in range(int(steps)):
    results = group.run(command, hide=True, warn=True, in_stream=False)
    for connection, result in results.items():
        print(connection.host, step, result.exited)
        worst = max(worst, result.exited)
group.close()
sys.exit(worst)
