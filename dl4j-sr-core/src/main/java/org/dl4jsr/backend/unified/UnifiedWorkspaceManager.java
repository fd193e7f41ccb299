package org.dl4jsr.backend.unified;

import org.dl4jsr.backend.AlignedWorkspaceManager;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;

/** ND4J's workspaces, but {@link UnifiedWorkspace}. ND4J creates it by name. */
public final class UnifiedWorkspaceManager extends AlignedWorkspaceManager {

    @Override
    protected MemoryWorkspace create(WorkspaceConfiguration configuration, String id, int device) {
        return new UnifiedWorkspace(configuration, id, device);
    }
}
