package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"regexp"
	"strings"

	"github.com/menshen/menshen/config"
)

// config writes the first configuration. One that is there stays as it is,
// faults included: somebody wrote it.
func (j *job) config(ctx context.Context) (string, error) {
	const name = "etc/menshen/gated.toml"
	note := "已有,不动 / there already, left alone: " + ConfigFile
	if !j.has(name) {
		text, profile, err := j.first()
		if err != nil {
			return "", err
		}
		if err := j.put(name, text, 0o660); err != nil {
			return "", err
		}
		note = fmt.Sprintf("已写 / written: %s (gate %s, profile %s)", ConfigFile, j.Gate, profile)
	}
	// What gated may write there.
	if err := j.copies(place{"systemd/tmpfiles.conf", "usr/lib/tmpfiles.d/menshen.conf"}); err != nil {
		return "", err
	}
	if j.Run == nil {
		return note, nil
	}
	err := j.Run(ctx, "systemd-tmpfiles", "--create", "/usr/lib/tmpfiles.d/menshen.conf")
	if errors.Is(err, exec.ErrNotFound) {
		err = j.Run(ctx, "chown", "-R", "root:menshen", "/etc/menshen")
		if err == nil {
			err = j.Run(ctx, "chmod", "-R", "g+rwX", "/etc/menshen")
		}
	}
	if err != nil {
		return "", failure{err, "sudo chown -R root:menshen /etc/menshen"}
	}
	return note, nil
}

// first makes the configuration of a new gate out of the example.
func (j *job) first() (text []byte, profile string, err error) {
	example, err := fs.ReadFile(j.System, "gated.toml")
	if err != nil {
		return nil, "", err
	}
	if profile = j.Profile; profile == "" {
		profile = j.usual()
	}
	set := [][2]string{{`gate = "east"`, fmt.Sprintf("gate = %q", j.Gate)}, {`school = "实验小学"`, fmt.Sprintf("school = %q", j.School)}, {`profile = "all-serial"`, fmt.Sprintf("profile = %q", profile)}}
	if j.LAN {
		set = append(set, [2]string{`# listen = "127.0.0.1:8630"`, `listen = "0.0.0.0:8630"`}, [2]string{"# insecure = false", "insecure = true"})
	}
	out := string(example)
	for _, s := range set {
		if strings.Count(out, "\n"+s[0]+"\n") != 1 {
			return nil, "", fmt.Errorf("example configuration: no line %s", s[0])
		}
		out = strings.Replace(out, "\n"+s[0]+"\n", "\n"+s[1]+"\n", 1)
	}
	_, err = config.Parse(config.File{Name: "gated.toml", Source: []byte(out)}, func(name string) (config.File, error) {
		b, err := fs.ReadFile(j.Profiles, name+".toml")
		return config.File{Name: name + ".toml", Source: b}, err
	})
	if err != nil {
		return nil, "", failure{err, "sudo ./menshen install -gate NAME -profile PROFILE"}
	}
	return []byte(out), profile, nil
}

// usual is the profile that suits the machine, as far as it tells.
func (j *job) usual() string {
	if j.has("boot/firmware/config.txt") || j.has("boot/config.txt") {
		return "raspberry-pi"
	}
	return "all-serial"
}

// notInName is what a gate's name cannot hold.
var notInName = regexp.MustCompile(`[^a-z0-9-]+`)

// GateName makes a name for a gate, [a-z0-9-]{1,32}, out of a machine's.
func GateName(host string) string {
	host, _, _ = strings.Cut(strings.ToLower(host), ".")
	name := notInName.ReplaceAllString(host, "")
	if name == "" {
		return "gate"
	}
	return name[:min(len(name), 32)]
}
