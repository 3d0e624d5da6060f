package mqtt_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/menshen/menshen/sync/mqtt"
)

func TestCertificatesThatCannotBeReadAreNamed(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing.pem")
	for name, files := range map[string][3]string{
		"no authority file":      {missing, "", ""},
		"no authority in it":     {empty, "", ""},
		"certificate but no key": {"", empty, ""},
		"key but no certificate": {"", "", empty},
		"no pair in the files":   {"", empty, empty},
	} {
		t.Run(name, func(t *testing.T) {
			if config, err := mqtt.LoadTLS(files[0], files[1], files[2]); err == nil || config != nil {
				t.Errorf("got %v, %v", config, err)
			}
		})
	}
	config, err := mqtt.LoadTLS("", "", "")
	if err != nil || config.RootCAs != nil || len(config.Certificates) != 0 {
		t.Errorf("without files: got %v, %v", config, err)
	}
}
